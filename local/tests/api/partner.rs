//! The partner's site, as a browser without scripts goes through it. `./check browser` looks at it with scripts.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use local::{
    faults::{Attempt, Fault},
    partner,
    servers::Servers,
};
use partner_site::Times;
use reqwest::{Method, Response};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    caller::wrong,
    support::{TestApp, client},
};

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
        let times = Times { code_lifetime, cooldown: Duration::from_secs(30) };
        servers.serve(listener, partner::router(&app.api, &app.demo, times).unwrap());
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
            if cookie.ends_with("Max-Age=0") {
                self.cookies.remove(name);
            }
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

    /// Sends a form, and shows the page that it leads to.
    async fn told(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let sent = self.submit(path, fields).await;
        assert_eq!(sent.status, 303, "{}", sent.html);
        self.get(&sent.location.clone()).await
    }

    /// Enters a code, and shows the page that it leads to.
    async fn enter(&mut self, code: &str) -> Shown {
        self.told("/code", &[("email", EMAIL), ("code", code)]).await
    }

    async fn sign_up(&mut self) {
        let profile = [("company", "Ada <Ltd>"), ("name", ""), ("email", EMAIL)];
        self.submit("/sign-up", &profile).await.assert_leads_to("/code");
    }

    /// Signs up and in.
    async fn sign_in(&mut self) {
        self.sign_up().await;
        let code = self.app.mailed_passcode(EMAIL);
        self.submit("/code", &[("email", EMAIL), ("code", &code)]).await.assert_leads_to("/account");
    }

    /// The customer's id, as the account's page shows it.
    async fn cuid(&mut self) -> String {
        let page = self.get("/account").await.html;
        page.split("<dt>Customer id</dt><dd>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    }

    /// Follows the redirects from a path, up to a page.
    async fn follow(&mut self, path: &str) -> Shown {
        let mut url = format!("{}{path}", self.url);
        loop {
            let shown = self.request(Method::GET, &url, &[]).await;
            if shown.status != 303 {
                return shown;
            }
            url = if shown.location.starts_with('/') {
                format!("{}{}", self.url, shown.location)
            } else {
                shown.location
            };
        }
    }
}

#[tokio::test]
async fn a_visitor_signs_up_and_reaches_the_platform() {
    let mut visitor = Visitor::new().await;
    visitor.sign_up().await;
    visitor.get("/code").await.assert(200, "We have mailed a code to ada+1@example.com.");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    visitor.enter("1234").await.assert(200, "eight digits");
    let entered = wrong(&passcode, 1);
    let page = visitor.enter(&entered).await;
    page.assert(200, "That is not the code. You have 4 tries left.");
    page.assert(200, &format!("value=\"{entered}\""));
    let before = visitor.cookies.clone();
    let code = format!("{}-{}", &passcode[..4], &passcode[4..]);
    visitor.enter(&code).await.assert(200, "Ada &#60;Ltd&#62;");
    // The second request of a double click comes with the cookies of the first.
    visitor.cookies = before;
    visitor.enter(&code).await.assert(200, "Ada &#60;Ltd&#62;");
    visitor.get("/code").await.assert_leads_to("/account");

    visitor.follow("/platform/sign-in").await.assert(200, "Welcome, ada+1@example.com");
    visitor.get("/platform").await.assert(200, "Welcome, ada+1@example.com");
    visitor.follow("/platform/sign-in?return_to=/campaigns/7").await.assert(200, "<h2>Campaign 7</h2>");
    visitor.submit("/platform/sign-out", &[]).await.assert_leads_to("/platform");
    visitor.get("/platform").await.assert(403, "You are not signed in here");
    visitor.get("/platform/campaigns/7").await.assert(403, "value=\"/campaigns/7\"");
    for unknown in ["/nowhere", "/platform/nowhere", "/sso?return_to=//evil.example"] {
        visitor.get(unknown).await.assert(404, "There is no such page");
    }

    visitor.submit("/sign-out", &[]).await.assert_leads_to("/");
    visitor.get("/account").await.assert_leads_to("/sign-in");
}

#[tokio::test]
async fn a_ticket_seats_nobody_who_has_not_asked_for_it() {
    let mut visitor = Visitor::new().await;
    visitor.sign_in().await;
    // Somebody else's browser opens the link that was made for this one, and has begun a sign-in of its own.
    let begun = visitor.get("/platform/sign-in").await;
    let sent = visitor.get(&begun.location.clone()).await;
    let stranger = visitor.get("/platform/sign-in").await;
    assert_ne!(begun.location, stranger.location);
    visitor.request(Method::GET, &sent.location, &[]).await.assert(403, "You are not signed in here");
    visitor.get("/platform").await.assert(403, "You are not signed in here");
    // Neither does one that no platform has asked for.
    let ticket = visitor.app.demo().ticket(EMAIL).await;
    visitor.get(&format!("/platform?ticket={ticket}")).await.assert(403, "You are not signed in here");
    visitor.get(&format!("/platform?ticket={ticket}")).await.assert(403, "This link is used up");
    // Whoever is signed in stays who they are.
    visitor.follow("/platform/sign-in").await.assert(200, "Welcome");
    visitor.get(&format!("/platform?ticket={ticket}")).await.assert_leads_to("/platform");
}

#[tokio::test]
async fn a_session_ends_with_its_pair_and_follows_no_address() {
    let mut visitor = Visitor::new().await;
    visitor.sign_in().await;
    let cuid = visitor.cuid().await;
    // The address goes to another customer; the session stays with its own.
    let command = json!({ "command": "change_customer", "cuid": cuid, "email": "new@example.com", "keep_pairs": true });
    visitor.app.command(command).await;
    let other = visitor.app.demo().create(EMAIL).await;
    assert_ne!(other.body["cuid"], *cuid);
    visitor.get("/account").await.assert(200, "new@example.com");
    let platform = visitor.follow("/platform/sign-in").await;
    platform.assert(200, "Welcome, new@example.com");
    platform.assert(200, &cuid);
    visitor.app.command(json!({ "command": "revoke_credentials", "cuid": cuid })).await;
    visitor.get("/platform/sign-in").await;
    visitor.get("/sso").await.assert_leads_to("/sign-in");
    visitor.get("/sign-in").await.assert(200, "You have been signed out.");
    visitor.get("/account").await.assert_leads_to("/sign-in");
}

#[tokio::test]
async fn a_sign_out_ends_the_pair() {
    let mut visitor = Visitor::new().await;
    visitor.sign_in().await;
    let stolen = visitor.cookies.clone();
    visitor.submit("/sign-out", &[]).await.assert_leads_to("/");
    let calls = visitor.app.system.backends.calls.all();
    assert_eq!(calls.last().unwrap().function.as_deref(), Some("revoke-credentials"));
    visitor.cookies = stolen;
    visitor.get("/account").await.assert_leads_to("/sign-in");
}

#[tokio::test]
async fn the_forms_reveal_no_account() {
    let mut visitor = Visitor::new().await;
    visitor.submit("/sign-in", &[("email", EMAIL)]).await.assert_leads_to("/code");
    let unknown = visitor.get("/code").await;
    unknown.assert(200, "If ada+1@example.com has an account here, we have mailed it a code.");
    assert_eq!(visitor.app.mails_to(EMAIL), 0);
    for (code, left) in
        [("10000000", "4 tries"), ("20000000", "3 tries"), ("30000000", "2 tries"), ("40000000", "one try")]
    {
        visitor.enter(code).await.assert(200, left);
    }
    // A sign-up with an address that has an account is told as one without, and signs nobody in.
    visitor.app.demo().create("known@example.com").await;
    for email in ["known@example.com", "fresh@example.com"] {
        visitor.cookies.clear();
        let sent = visitor.submit("/sign-up", &[("company", "x"), ("email", email)]).await;
        sent.assert_leads_to("/code");
        visitor.get("/code").await.assert(200, &format!("We have mailed a code to {email}."));
        visitor.get("/account").await.assert_leads_to("/sign-in");
        assert_eq!(visitor.app.mails_to(email), 1);
    }
}

#[tokio::test]
async fn whoever_has_just_signed_up_learns_that_mails_come_back_and_nobody_else() {
    let mut visitor = Visitor::new().await;
    visitor.app.system.backends.faults.inject(|attempt| {
        let refusal = json!({ "__type": "BadRequestException", "message": "Domain contains illegal character" });
        (attempt.action == "SendEmail").then_some(Fault::Answer(400, refusal))
    });
    visitor.sign_up().await;
    let told = visitor.get("/code").await;
    told.assert(200, "Our mails to ada+1@example.com come back. Please use another address, or write to us.");
    assert!(!told.html.contains("We have mailed") && !told.html.contains("The code works"), "{}", told.html);
    for (language, words) in [("fr", "Nos e-mails à ada+1@example.com"), ("es", "Nuestros correos a ada+1@example.com")]
    {
        visitor.get(&format!("/code?language={language}")).await.assert_leads_to("/code");
        visitor.get("/code").await.assert(200, words);
    }
    for (path, words) in [("/sign-in", "If ada+1@example.com has an account"), ("/sign-up", "We have mailed a code to")]
    {
        visitor.cookies.clear();
        let fields = [("company", "x"), ("email", EMAIL)];
        visitor.submit(path, &fields).await.assert_leads_to("/code");
        let page = visitor.get("/code").await;
        page.assert(200, words);
        assert!(!page.html.contains("come back"), "{}", page.html);
    }
    assert_eq!(visitor.app.mails_to(EMAIL), 0);
}

#[tokio::test]
async fn what_goes_wrong_is_told_kindly() {
    let mut visitor = Visitor::new().await;
    visitor.get("/platform").await.assert(403, "You are not signed in here");
    for unreadable in ["/platform?ticket=a&ticket=b", "/sso?return_to=a&return_to=b", "/platform/%FF"] {
        visitor.get(unreadable).await.assert(404, "There is no such page");
    }
    visitor.submit("/account", &[]).await.assert(404, "There is no such page");
    visitor.told("/sign-up", &[("email", "x")]).await.assert(200, "Please fill this in.");
    // Told once: who comes back sees the form as it was.
    assert!(!visitor.get("/").await.html.contains("Please fill this in."));
    visitor.sign_up().await;
    let passcode = visitor.app.mailed_passcode(EMAIL);
    for (n, left) in [(1, "4 tries"), (2, "3 tries"), (3, "2 tries"), (4, "one try")] {
        visitor.enter(&wrong(&passcode, n)).await.assert(200, left);
    }
    let worn_out = visitor.enter(&wrong(&passcode, 5)).await;
    worn_out.assert(200, "wrong too often");
    assert!(!worn_out.html.contains("The code still works for"), "{}", worn_out.html);
    visitor.enter(&passcode).await.assert(200, "wrong too often");
    visitor.told("/code/new", &[("email", EMAIL)]).await.assert(200, "A new code is on its way.");
    assert_eq!(visitor.app.mails_to(EMAIL), 2, "a code that is over is replaced at once");
    visitor.told("/code/new", &[("email", EMAIL)]).await.assert(200, "Another mail can be sent in ");
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
    visitor.told("/sign-in", &[("email", "eve@example.com")]).await.assert(200, "cannot be used at the moment");
}

#[tokio::test]
async fn the_page_speaks_the_browsers_language_or_the_one_chosen() {
    let mut visitor = Visitor::new().await;
    visitor.get("/").await.assert(200, "<html lang=\"en\">");
    let french = client().get(&visitor.url).header("accept-language", "fr-CH, en;q=0.5").send().await.unwrap();
    assert!(french.text().await.unwrap().contains("Créez votre compte"));
    let form = [("company", "x"), ("email", EMAIL), ("language", "fr")];
    visitor.submit("/sign-up", &form).await.assert_leads_to("/code");
    let mails = visitor.app.mails(Some(EMAIL));
    assert!(mails[0].html.contains("lang=\"fr\""), "{}", mails[0].html);
    visitor.get("/sign-in?language=es").await.assert_leads_to("/sign-in");
    visitor.get("/sign-in").await.assert(200, "Iniciar sesión");
    visitor.get("//evil.example?language=fr").await.assert_leads_to("/evil.example");
}

#[tokio::test]
async fn forms_without_end_are_refused() {
    let mut visitor = Visitor::new().await;
    let mut sent = 0;
    while visitor.submit("/platform/sign-out", &[]).await.status == 303 {
        sent += 1;
    }
    assert_eq!(sent, 200);
    visitor.submit("/sign-in", &[("email", EMAIL)]).await.assert(429, "That was a lot at once");
    visitor.get("/sign-in").await.assert(200, "Sign in");
}

#[tokio::test]
async fn the_page_tells_which_calls_it_was_made_with() {
    let mut visitor = Visitor::new().await;
    visitor.sign_in().await;
    let page = visitor.get("/account").await;
    for call in ["<code>GET /customer/ada%2B1%40example%2Ecom/auth</code> 200", "<code>GET /customer/"] {
        page.assert(200, call);
    }
    let again = visitor.get("/account").await;
    assert!(!again.html.contains("/auth</code>"), "the calls of another page: {}", again.html);
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
    visitor.told("/sign-up", &profile).await.assert(200, "tell us this number: ");
    faults.inject(first_reply_lost());
    visitor.submit("/sign-up", &profile).await.assert_leads_to("/code");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    faults.inject(first_reply_lost());
    visitor.enter(&passcode).await.assert(200, "the code may be used up");
    visitor.submit("/code/new", &[("email", EMAIL)]).await.assert_leads_to("/code");
    assert_eq!(visitor.app.mails_to(EMAIL), 2, "without a wait");
    let passcode = visitor.app.mailed_passcode(EMAIL);
    visitor.enter(&passcode).await.assert(200, "Your account");
}

#[tokio::test]
async fn another_sites_form_is_refused() {
    let visitor = Visitor::new().await;
    let form = client().post(format!("{}/sign-out", visitor.url)).header("origin", "https://evil.example");
    assert_eq!(form.send().await.unwrap().status(), 403);
}
