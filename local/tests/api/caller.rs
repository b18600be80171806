//! The API as its callers use it: a method for each thing that one does, and answers taken apart.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    deployed::deployed,
    support::{TestApp, passcode_in, request_id},
    watch::assert_discreet,
};

/// An answer, its body parsed.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
    pub request_id: String,
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The stable code of an error.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Asserts an error's status and exact body, and what every answer has.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str, message: &str) {
        let body = json!({ "message": message, "code": code, "request_id": self.request_id });
        assert_eq!((self.status, &self.body), (status, &body));
        self.assert_headers();
    }

    /// Asserts an error in which fields are bad: all of them, by name.
    #[track_caller]
    pub fn assert_invalid(&self, fields: &[&str]) {
        assert_eq!((self.status, self.code()), (400, "invalid_request"), "{}", self.body);
        assert_eq!(self.body["message"], "The request is not valid.");
        let errors = self.body["errors"].as_array().unwrap();
        let named: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields);
        assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|message| message.ends_with('.'))));
    }

    /// Asserts what every answer has.
    #[track_caller]
    pub fn assert_headers(&self) {
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("referrer-policy"), "no-referrer");
        if self.status != 302 {
            assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        }
    }

    /// What two answers must have in common to be byte-identical but for the request's id and date.
    pub fn without_request(&self) -> (u16, Vec<(String, String)>, String) {
        let body = self.text.replace(&self.request_id, "");
        let own = ["date", "apigw-requestid", "x-amzn-requestid", "x-amz-request-id"];
        let headers = self.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        (self.status, headers, body)
    }
}

/// Sends a request.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let request_id = request_id(&response).to_owned();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    if status >= 400 {
        assert_discreet(&format!("{text} {headers:?}"));
    }
    Answer { status, headers, body, text, request_id }
}

/// Credentials: header names and values.
pub type Credentials = Vec<(&'static str, String)>;

/// What has to be encoded in a path's segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'=')
    .remove(b'@')
    .remove(b'_')
    .remove(b'~');

/// The path segment of an identifier, with everything encoded that may be. Over a deployment that is as little as possible,
/// since fakecloud does not decode it.
pub fn segment(identifier: &str) -> String {
    let encoded = if deployed().is_some() { SEGMENT } else { NON_ALPHANUMERIC };
    utf8_percent_encode(identifier, encoded).to_string()
}

/// The value of a parameter in the query string.
pub fn parameter(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

/// A caller with credentials.
pub struct Caller<'a> {
    pub app: &'a TestApp,
    pub credentials: Credentials,
}

impl Caller<'_> {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.app.request(method, path);
        self.credentials.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn create(&self, email: &str) -> Answer {
        self.post("/customer", &json!({ "company": "Analytical Engines", "email": email })).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, cuid: &str, change: &Value) -> Answer {
        answer(self.request(Method::PATCH, &format!("/customer/{cuid}")).json(change)).await
    }

    /// Ends the presented pair, or with an App's credentials whatever the customer was issued.
    pub async fn revoke(&self, cuid: &str) -> Answer {
        answer(self.request(Method::DELETE, &format!("/customer/{cuid}/auth"))).await
    }

    pub async fn send(&self, email: &str) -> Answer {
        self.get(&format!("/customer/{}/passcode", segment(email))).await
    }

    pub async fn auth(&self, email: &str, passcode: &str) -> Answer {
        self.get(&format!("/customer/{}/auth?passcode={passcode}", segment(email))).await
    }

    pub async fn auth_by_cuid(&self, cuid: &str) -> Answer {
        self.get(&format!("/customer/{cuid}/auth")).await
    }

    pub async fn nopasscode(&self, email: &str) -> Answer {
        self.get(&format!("/customer/{}/auth/nopasscode", segment(email))).await
    }

    pub async fn sso(&self, email: &str) -> Answer {
        self.get(&format!("/customer/{}/sso", segment(email))).await
    }

    /// A new ticket for this customer.
    pub async fn ticket(&self, email: &str) -> String {
        self.ticket_with(email, "").await
    }

    /// The same with a query string.
    pub async fn ticket_with(&self, email: &str, query: &str) -> String {
        let redirect = self.get(&format!("/customer/{}/sso?{query}", segment(email))).await;
        let location = url::Url::parse(redirect.header("location")).unwrap();
        location.query_pairs().find(|(name, _)| name == "ticket").unwrap().1.into_owned()
    }

    pub async fn redeem(&self, ticket: &str) -> Answer {
        self.post("/sso/redeem", &json!({ "ticket": ticket })).await
    }

    pub async fn show(&self, cuid: &str) -> Answer {
        self.get(&format!("/customer/{cuid}")).await
    }
}

impl TestApp {
    /// The demo App.
    pub fn demo(&self) -> Caller<'_> {
        let app = &self.demo.app;
        self.as_app(&app.superkey, &app.supertoken)
    }

    pub fn as_app(&self, superkey: &str, supertoken: &str) -> Caller<'_> {
        let pair = [("x-access-superkey", superkey.to_owned()), ("x-access-supertoken", supertoken.to_owned())];
        Caller { app: self, credentials: pair.into() }
    }

    /// The demo platform.
    pub fn platform(&self) -> Caller<'_> {
        let platform = &self.demo.platform;
        self.as_platform(&platform.platformkey, &platform.platformtoken)
    }

    pub fn as_platform(&self, key: &str, token: &str) -> Caller<'_> {
        let pair = [("x-access-platformkey", key.to_owned()), ("x-access-platformtoken", token.to_owned())];
        Caller { app: self, credentials: pair.into() }
    }

    /// The customer of a pair as it was issued.
    pub fn as_customer(&self, pair: &Value) -> Caller<'_> {
        let text = |name: &str| pair[name].as_str().unwrap().to_owned();
        Caller { app: self, credentials: vec![("x-access-key", text("key")), ("x-access-token", text("token"))] }
    }

    pub const fn nobody(&self) -> Caller<'_> {
        Caller { app: self, credentials: Vec::new() }
    }

    /// Gives the operator a command that it carries out.
    pub async fn command(&self, command: Value) -> Value {
        self.operate(command).await.unwrap()
    }

    /// Another App with both grants and a platform of its own.
    pub async fn another_app(&self) -> Caller<'_> {
        let platform = json!({ "command": "create_platform", "name": "Other", "url": "https://other.example/" });
        let platform = self.command(platform).await["platformkey"].clone();
        let grants = ["passcode", "nopasscode"];
        let app = json!({ "command": "create_app", "name": "Other", "grants": grants, "platform": platform });
        let app = self.command(app).await;
        self.as_app(app["superkey"].as_str().unwrap(), app["supertoken"].as_str().unwrap())
    }

    /// How many mails went to this address.
    pub fn mails_to(&self, address: &str) -> usize {
        self.mails(Some(address)).len()
    }

    /// The passcode in the newest mail to this address.
    pub fn mailed_passcode(&self, address: &str) -> String {
        passcode_in(&self.mails(Some(address))[0].text)
    }

    /// Changes the only passcode item, past every function.
    pub fn edit_passcode(&self, edit: impl FnOnce(&mut Value)) {
        let mut items = self.passcodes();
        assert_eq!(items.len(), 1);
        edit(&mut items[0]);
        self.tables.put("PasscodesTable", &items[0]).unwrap();
    }

    /// The items of passcodes, without the budgets, which lie beside them.
    pub fn passcodes(&self) -> Vec<Value> {
        self.of_passcodes_table(false)
    }

    /// The budgets of mailboxes and Apps.
    pub fn budgets(&self) -> Vec<Value> {
        self.of_passcodes_table(true)
    }

    fn of_passcodes_table(&self, budgets: bool) -> Vec<Value> {
        let mut items = self.tables.items("PasscodesTable").unwrap();
        items.retain(|item| item["id"]["S"].as_str().unwrap().starts_with("budget/") == budgets);
        items
    }
}

/// As many digits that are not `passcode`, another one for each `n` up to 9.
pub fn wrong(passcode: &str, n: usize) -> String {
    let digit = (passcode.as_bytes()[0] - b'0') as usize;
    format!("{}{}", (digit + n) % 10, &passcode[1..])
}

/// Moves moments of an item, in milliseconds, into the past.
pub fn age(item: &mut Value, names: &[&str], milliseconds: u64) {
    for name in names {
        if let Some(moment) = item[*name]["N"].as_str() {
            let moment: u64 = moment.parse().unwrap();
            item[*name]["N"] = (moment - milliseconds).to_string().into();
        }
    }
}
