//! What each endpoint needs, how it is asked, and how a caller goes on who does not know what became of the request.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::{
    caller::{Answer, age},
    support::TestApp,
};

/// The endpoints, and the operator's commands; each is asked for on a customer of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Endpoint {
    Create,
    List,
    Get,
    /// Of a field that record and guard say alike.
    Change,
    Sso,
    Redeem,
    Send,
    AuthByCuid,
    AuthByEmail,
    Nopasscode,
    /// All of a customer's pairs, by the App.
    RevokeAll,
    /// The customer's own pair.
    RevokeOwn,
    /// A command of the operator's.
    Command(&'static str),
}

impl Endpoint {
    /// The function that answers.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Create => "create-customer",
            Self::List => "list-customers",
            Self::Get => "get-customer",
            Self::Change => "change-customer",
            Self::Sso => "sso",
            Self::Redeem => "redeem-ticket",
            Self::Send => "send-passcode",
            Self::AuthByCuid | Self::AuthByEmail => "auth",
            Self::Nopasscode => "auth-nopasscode",
            Self::RevokeAll | Self::RevokeOwn => "revoke-credentials",
            Self::Command(_) => "operator",
        }
    }

    /// How long the function may take.
    pub fn timeout(self, app: &TestApp) -> Duration {
        let functions = &app.system.backends.template.functions;
        functions.iter().find(|function| function.name == self.function()).unwrap().timeout
    }
}

/// A customer for one try, and what the endpoint needs of them.
pub struct Stage<'a> {
    app: &'a TestApp,
    pub endpoint: Endpoint,
    email: String,
    cuid: String,
    pair: Value,
    secret: String,
}

impl Stage<'_> {
    pub async fn set(app: &TestApp, endpoint: Endpoint, n: usize) -> Stage<'_> {
        let email = format!("customer{n}@example.com");
        let pair = if endpoint == Endpoint::Create { Value::Null } else { app.demo().create(&email).await.body };
        let secret = match endpoint {
            Endpoint::Redeem => app.demo().ticket(&email).await,
            Endpoint::AuthByEmail => {
                assert_eq!(app.demo().send(&email).await.status, 200);
                app.mailed_passcode(&email)
            }
            // Of these an App is made that nothing else needs.
            Endpoint::Command("rotate_token" | "change_app" | "suspend_app") => {
                let app_made = app.command(json!({ "command": "create_app", "name": "Another" })).await;
                app_made["superkey"].as_str().unwrap().to_owned()
            }
            _ => String::new(),
        };
        let cuid = pair["cuid"].as_str().unwrap_or_default().to_owned();
        Stage { app, endpoint, email, cuid, pair, secret }
    }

    pub async fn ask(&self) -> Answer {
        let demo = self.app.demo();
        match self.endpoint {
            Endpoint::Create => demo.create(&self.email).await,
            Endpoint::List => demo.get("/customer?limit=1").await,
            Endpoint::Get => self.app.as_customer(&self.pair).show(&self.cuid).await,
            Endpoint::Change => demo.patch(&self.cuid, &json!({ "language": "fr", "city": "Brest" })).await,
            Endpoint::Sso => demo.sso(&self.email).await,
            Endpoint::Redeem => self.app.platform().redeem(&self.secret).await,
            Endpoint::Send => demo.send(&self.email).await,
            Endpoint::AuthByCuid => demo.auth_by_cuid(&self.cuid).await,
            Endpoint::AuthByEmail => demo.auth(&self.email, &self.secret).await,
            Endpoint::Nopasscode => demo.nopasscode(&self.email).await,
            Endpoint::RevokeAll => demo.revoke(&self.cuid).await,
            Endpoint::RevokeOwn => self.app.as_customer(&self.pair).revoke(&self.cuid).await,
            Endpoint::Command(name) => self.give(name).await,
        }
    }

    /// A command's end in the words of an answer.
    async fn give(&self, name: &str) -> Answer {
        let mut command = match name {
            "create_app" | "create_platform" => json!({ "name": "New", "url": "https://new.example/" }),
            "rotate_token" => json!({ "key": self.secret }),
            "change_app" => json!({ "superkey": self.secret, "name": "Changed" }),
            "suspend_app" => json!({ "superkey": self.secret }),
            "list_apps" => json!({ "limit": 2 }),
            "find_customer" => json!({ "superkey": self.app.demo.app.superkey, "email": self.email }),
            "change_customer" => json!({ "cuid": self.cuid, "email": format!("moved.{}", self.email) }),
            _ => json!({ "cuid": self.cuid }),
        };
        if name == "create_app" {
            command.as_object_mut().unwrap().remove("url");
        }
        command["command"] = name.into();
        let (status, body) = match self.app.operate(command).await {
            Ok(body) => (200, body),
            Err(message) => (500, json!({ "message": message, "code": "internal_error" })),
        };
        Answer { status, headers: HeaderMap::new(), text: body.to_string(), body, request_id: String::new() }
    }

    /// Lets the time pass for which a claim holds back.
    fn end_lease(&self, milliseconds: u64) {
        let tables = &self.app.system.backends.tables;
        let mut items = self.app.passcodes();
        let item = items.iter_mut().find(|item| item["cuid"]["S"] == *self.cuid).unwrap();
        age(item, &["lease_until"], milliseconds);
        tables.put("PasscodesTable", item).unwrap();
    }

    pub const fn success(&self) -> u16 {
        match self.endpoint {
            Endpoint::Create => 201,
            Endpoint::RevokeAll | Endpoint::RevokeOwn => 204,
            Endpoint::Sso => 302,
            _ => 200,
        }
    }

    /// Goes on as a caller would who does not know what became of the request.
    pub async fn reach_the_end(&self) {
        let mut again = self.ask().await;
        // On a machine with other work a second can be too short for the database.
        let later =
            |answer: &Answer| answer.body["message"].as_str().is_some_and(|it| it.ends_with("Try again later."));
        for _ in 0..3 {
            if later(&again) {
                again = self.ask().await;
            }
        }
        match (self.endpoint, again.status) {
            (_, status) if status == self.success() => {}
            // It had succeeded, and the reply was lost.
            (Endpoint::Create, 409) => {
                let cuid = again.body["cuid"].as_str().unwrap();
                assert_eq!(self.app.demo().auth_by_cuid(cuid).await.status, 200);
            }
            (Endpoint::AuthByEmail, 401) => {
                assert_eq!(self.app.demo().send(&self.email).await.status, 200);
                let passcode = self.app.mailed_passcode(&self.email);
                assert_ne!(passcode, self.secret, "a new one, at once");
                assert_eq!(self.app.demo().auth(&self.email, &passcode).await.status, 200);
            }
            (Endpoint::Redeem, 401) => {
                let ticket = self.app.demo().ticket(&self.email).await;
                assert_eq!(self.app.platform().redeem(&ticket).await.status, 200);
            }
            (Endpoint::RevokeOwn, 403) => assert_eq!(again.code(), "invalid_token"),
            (Endpoint::Command("erase_customer"), 500) => assert_eq!(again.body["message"], "No such customer."),
            (endpoint, status) => panic!("{endpoint:?} cannot go on: {status} {}", again.body),
        }
        if self.endpoint == Endpoint::Command("rotate_token") {
            let app = self.app.as_app(&self.secret, again.body["token"].as_str().unwrap());
            assert_eq!(app.get("/customer").await.status, 200, "the token that was answered is the one");
        }
        if self.endpoint == Endpoint::Send {
            if self.app.mails_to(&self.email) == 0 {
                // A claim whose release was lost too holds back for as long as Retry-After says, and no longer.
                let wait: u64 = again.header("retry-after").parse().unwrap();
                assert!(wait <= 15, "{wait}");
                self.end_lease(wait * 1000);
                assert_eq!(self.app.demo().send(&self.email).await.status, 200);
            }
            assert_eq!(self.app.demo().auth(&self.email, &self.app.mailed_passcode(&self.email)).await.status, 200);
        }
    }
}
