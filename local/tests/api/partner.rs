//! The partner's site, as a browser without scripts goes through it. `./check browser` looks at it with scripts.

use crate::{
    caller::wrong,
    support::{TestApp, client},
};
use local::{
    faults::{Attempt, Fault},
    partner,
    servers::Servers,
};
use reqwest::{Method, Response};
use serde_json::json;
use std::{collections::BTreeMap, sync::OnceLock, time::Duration};
use tokio::net::TcpListener;

const EMAIL: &str = "ada+1@example.com";

/// A browser with cookies, and the site.
struct Visitor {
    app: TestApp,
    url: String,
    cookies: BTreeMap<String, String>,
    _servers: Servers,
}

/// A page: its status, where it leads to, and its text.
struct Shown {
    status: u16,
    location: String,
    html: String,
}

impl Shown {
    #[track_caller]
    fn assert(&self, status: u16, words: &str) {
        assert!((self.status, self.html.contains(words)) == (status, true), "{}: {}", self.status, self.html);
    }

    #[track_caller]
    fn assert_leads_to(&self, location: &str) {
        assert_eq!((self.status, &*self.location), (303, location), "{}", self.html);
    }
}

impl Visitor {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let platform = format!("{url}/platform");
        let key = &app.demo.platform.platformkey;
        app.command(json!({ "command": "change_platform", "platformkey": key, "url": platform })).await;
        let servers = Servers::new();
        let code_lifetime = Duration::from_millis(app.passcode_lifetime());
        servers.serve(listener, partner::router(&app.system.api, &app.demo, code_lifetime).unwrap());
        Self { app, url, cookies: BTreeMap::new(), _servers: servers }
    }

    async fn request(&mut self, method: Method, url: &str, fields: &[(&str, &str)]) -> Shown {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = client().request(method, url).header("cookie", cookies.join("; ")).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response: Response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = response.status().as_u16();
        let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let html = response.text().await.unwrap();
        assert!(!html.contains(&self.app.demo.app.supertoken), "the super credentials stay in the server");
        Shown { status, location: location.unwrap_or_default(), html }
    }

    async fn get(&mut self, path: &str) -> Shown {
        self.request(Method::GET, &format!("{}{path}", self.url), &[]).await
    }

    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.request(Method::POST, &format!("{}{path}", self.url), fields).await
    }

    async fn enter(&mut self, code: &str) -> Shown {
        self.submit("/code", &[("email", EMAIL), ("code", code)]).await
    }
}

#[tokio::test]
async fn a_visitor_signs_up_and_reaches_the_platform() {
    let mut visitor = Visitor::new().await;
    let profile = [("company", "Ada <Ltd>"), ("name", ""), ("email", EMAIL)];
    visitor.submit("/sign-up", &profile).await.assert_leads_to("/code");
    visitor.get("/code").await.assert(200, "<strong>ada+1@example.com</strong>");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    visitor.enter("1234").await.assert(422, "eight digits");
    visitor.enter(&wrong(&passcode, 1)).await.assert(422, "That is not the code.");
    let before = visitor.cookies.clone();
    let code = format!("{}-{}", &passcode[..4], &passcode[4..]);
    visitor.enter(&code).await.assert_leads_to("/account");
    // The second request of a double click comes with the cookies of the first.
    visitor.cookies = before;
    visitor.enter(&code).await.assert_leads_to("/account");
    visitor.get("/account").await.assert(200, "Ada &#60;Ltd&#62;");
    visitor.get("/code").await.assert_leads_to("/account");

    let sent = visitor.submit("/open-platform", &[]).await;
    assert!(sent.location.starts_with(&format!("{}/platform?ticket=", visitor.url)), "{}", sent.location);
    visitor.request(Method::GET, &sent.location, &[]).await.assert_leads_to("/platform");
    visitor.get("/platform").await.assert(200, "Welcome, ada+1@example.com");
    visitor.request(Method::GET, &sent.location, &[]).await.assert(403, "This link is used up");

    visitor.submit("/sign-out", &[]).await.assert_leads_to("/");
    visitor.get("/account").await.assert_leads_to("/sign-in");
}

#[tokio::test]
async fn what_goes_wrong_is_told_kindly() {
    let mut visitor = Visitor::new().await;
    visitor.get("/platform").await.assert(403, "You are not signed in here");
    visitor.submit("/sign-up", &[("email", "x")]).await.assert(422, "Please fill this in.");
    visitor.submit("/sign-in", &[("email", EMAIL)]).await.assert(404, "We know no account");
    visitor.app.demo().create(EMAIL).await;
    // Whoever signs up twice is signed in.
    visitor.submit("/sign-up", &[("company", "x"), ("email", EMAIL)]).await.assert_leads_to("/code");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    for n in 1..5 {
        visitor.enter(&wrong(&passcode, n)).await.assert(422, "That is not the code.");
    }
    visitor.enter(&wrong(&passcode, 5)).await.assert(422, "wrong too often");
    visitor.enter(&passcode).await.assert(422, "wrong too often");
    visitor.submit("/code/new", &[("email", EMAIL)]).await.assert_leads_to("/code");
    assert_eq!(visitor.app.mails_to(EMAIL), 2, "a code that is over is replaced at once");
    visitor.submit("/code/new", &[("email", EMAIL)]).await.assert_leads_to("/code");
    assert_eq!(visitor.app.mails_to(EMAIL), 2);
    // Each time exhausted, until there were too many mails.
    for _ in 0..4 {
        let passcode = visitor.app.mailed_passcode(EMAIL);
        for n in 1..6 {
            visitor.enter(&wrong(&passcode, n)).await;
        }
        visitor.submit("/code/new", &[("email", EMAIL)]).await.assert_leads_to("/code");
    }
    visitor.get("/code").await.assert(200, "Many codes were asked for");
    let suspend = json!({ "command": "suspend_app", "superkey": visitor.app.demo.app.superkey });
    visitor.app.command(suspend).await;
    visitor.submit("/sign-in", &[("email", EMAIL)]).await.assert(403, "cannot be used at the moment");
}

/// The first request that writes has its effect and never learns of it.
fn first_reply_lost() -> impl Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync {
    let first = OnceLock::new();
    move |attempt| {
        let writes = attempt.action == "TransactWriteItems";
        let ours = writes && first.get_or_init(|| attempt.caller.request_id.clone()) == &attempt.caller.request_id;
        ours.then_some(Fault::CutAfter)
    }
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again() {
    let mut visitor = Visitor::new().await;
    let faults = visitor.app.system.backends.faults.clone();
    let profile = [("company", "Ada Ltd"), ("email", EMAIL)];
    faults.inject(|attempt| (attempt.action == "TransactWriteItems").then_some(Fault::CutBefore));
    visitor.submit("/sign-up", &profile).await.assert(503, "tell us this number: ");
    faults.inject(first_reply_lost());
    visitor.submit("/sign-up", &profile).await.assert_leads_to("/code");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    faults.inject(first_reply_lost());
    visitor.enter(&passcode).await.assert(422, "the code may be used up");
    visitor.submit("/code/new", &[("email", EMAIL)]).await.assert_leads_to("/code");
    assert_eq!(visitor.app.mails_to(EMAIL), 2, "without a wait");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    visitor.enter(&passcode).await.assert_leads_to("/account");
}

#[tokio::test]
async fn another_sites_form_is_refused() {
    let visitor = Visitor::new().await;
    let form = client().post(format!("{}/sign-out", visitor.url)).header("origin", "https://evil.example");
    assert_eq!(form.send().await.unwrap().status(), 403);
}
