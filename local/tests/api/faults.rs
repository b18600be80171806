//! Every endpoint with every fault at every call: the answer is a documented one in time, nothing is half-written, and
//! repeating the request reaches the right end.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use local::faults::{Attempt, Fault};
use serde_json::{Value, json};

use crate::{
    caller::{Answer, age},
    support::TestApp,
};

/// The endpoints; each is asked for on a customer of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Endpoint {
    Create,
    List,
    Get,
    Sso,
    Redeem,
    Send,
    AuthByCuid,
    AuthByEmail,
    Nopasscode,
}

/// A fault by name, and whether a call that it met may have taken effect.
type Kind = (&'static str, fn(&Attempt<'_>) -> Option<Fault>);

fn dynamodb(attempt: &Attempt<'_>) -> bool {
    attempt.action != "SendEmail"
}

fn refusal(status: u16, kind: &str) -> Fault {
    Fault::Answer(status, json!({ "__type": kind, "message": "DEPENDENCY TEXT" }))
}

const KINDS: [Kind; 8] = [
    ("throttled", |attempt| {
        let ours = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        Some(if dynamodb(attempt) { refusal(400, ours) } else { refusal(429, "TooManyRequestsException") })
    }),
    ("internal error", |_| Some(refusal(500, "InternalServerError"))),
    ("cut before the effect", |_| Some(Fault::CutBefore)),
    ("cut after the effect", |_| Some(Fault::CutAfter)),
    ("slow past the attempt's timeout", |attempt| {
        Some(Fault::Slow(if dynamodb(attempt) { Duration::from_millis(1100) } else { Duration::from_millis(5100) }))
    }),
    ("batch left unread", |attempt| {
        let unread = || json!({ "Responses": {}, "UnprocessedKeys": attempt.request["RequestItems"] });
        (attempt.action == "BatchGetItem").then(|| Fault::Answer(200, unread()))
    }),
    ("conflict", |attempt| match attempt.action {
        "TransactWriteItems" => {
            let reasons = json!([{ "Code": "TransactionConflict" }, { "Code": "None" }, { "Code": "None" }]);
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            let body = json!({ "__type": kind, "message": "DEPENDENCY TEXT", "CancellationReasons": reasons });
            Some(Fault::Answer(400, body))
        }
        "UpdateItem" => Some(refusal(400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException")),
        _ => None,
    }),
    ("account paused", |attempt| (attempt.action == "SendEmail").then(|| refusal(400, "SendingPausedException"))),
];

/// A customer for one try, and what the endpoint needs of them.
struct Stage<'a> {
    app: &'a TestApp,
    endpoint: Endpoint,
    email: String,
    cuid: String,
    pair: Value,
    secret: String,
}

impl Stage<'_> {
    async fn set(app: &TestApp, endpoint: Endpoint, n: usize) -> Stage<'_> {
        let email = format!("customer{n}@example.com");
        let pair = if endpoint == Endpoint::Create { Value::Null } else { app.demo().create(&email).await.body };
        let secret = match endpoint {
            Endpoint::Redeem => app.demo().ticket(&email).await,
            Endpoint::AuthByEmail => {
                assert_eq!(app.demo().send(&email).await.status, 200);
                app.mailed_passcode(&email)
            }
            _ => String::new(),
        };
        let cuid = pair["cuid"].as_str().unwrap_or_default().to_owned();
        Stage { app, endpoint, email, cuid, pair, secret }
    }

    async fn ask(&self) -> Answer {
        let demo = self.app.demo();
        match self.endpoint {
            Endpoint::Create => demo.create(&self.email).await,
            Endpoint::List => demo.get("/customer?limit=1").await,
            Endpoint::Get => self.app.as_customer(&self.pair).show(&self.cuid).await,
            Endpoint::Sso => demo.sso(&self.email).await,
            Endpoint::Redeem => self.app.platform().redeem(&self.secret).await,
            Endpoint::Send => demo.send(&self.email).await,
            Endpoint::AuthByCuid => demo.auth_by_cuid(&self.cuid).await,
            Endpoint::AuthByEmail => demo.auth(&self.email, &self.secret).await,
            Endpoint::Nopasscode => demo.nopasscode(&self.email).await,
        }
    }

    /// Lets the time pass for which a claim holds back.
    fn end_lease(&self, milliseconds: u64) {
        let tables = &self.app.system.backends.tables;
        let mut items = tables.items("PasscodesTable").unwrap();
        let item = items.iter_mut().find(|item| item["cuid"]["S"] == *self.cuid).unwrap();
        age(item, &["lease_until"], milliseconds);
        tables.put("PasscodesTable", item).unwrap();
    }

    const fn success(&self) -> u16 {
        match self.endpoint {
            Endpoint::Create => 201,
            Endpoint::Sso => 302,
            _ => 200,
        }
    }

    /// Goes on as a caller would who does not know what became of the request.
    async fn reach_the_end(&self) {
        let again = self.ask().await;
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
            (endpoint, status) => panic!("{endpoint:?} cannot go on: {status} {}", again.body),
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

/// Whatever happened, records and guards belong together, and every pair has its customer.
fn assert_whole(app: &TestApp, context: &str) {
    let items = |table: &str| app.system.backends.tables.items(table).unwrap();
    let cuids = |table: &str| -> BTreeSet<String> {
        items(table).iter().map(|item| item["cuid"]["S"].as_str().unwrap().to_owned()).collect()
    };
    let customers = cuids("CustomersTable");
    assert_eq!(customers, cuids("DirectoryTable"), "{context}");
    assert!(cuids("CredentialsTable").is_subset(&customers), "{context}");
}

#[track_caller]
fn assert_documented(answer: &Answer, stage: &Stage<'_>, context: &str) {
    if answer.status == stage.success() {
        return;
    }
    assert_eq!((answer.status, answer.code()), (500, "internal_error"), "{context}: {}", answer.body);
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.ends_with("Try again later.") && message.starts_with("The "), "{context}: {message}");
    assert!(!answer.body.to_string().contains("DEPENDENCY"), "{context}");
    answer.assert_headers();
}

/// One fault at the `at`th call, then or from then on.
async fn strike(app: &TestApp, endpoint: Endpoint, kind: Kind, at: usize, for_good: bool, n: usize) -> bool {
    let stage = Stage::set(app, endpoint, n).await;
    let context = format!("{endpoint:?}, {} at call {at}{}", kind.0, if for_good { " and after" } else { "" });
    let (made, struck) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counter = struck.clone();
    app.system.backends.faults.inject(move |attempt| {
        let call = made.fetch_add(1, SeqCst);
        let fault = if call == at || (for_good && call > at) { kind.1(attempt) } else { None };
        counter.fetch_add(usize::from(fault.is_some()), SeqCst);
        fault
    });
    let started = Instant::now();
    let answer = stage.ask().await;
    let took = started.elapsed();
    app.system.backends.faults.clear();
    if struck.load(SeqCst) == 0 {
        return false;
    }
    assert!(took < Duration::from_secs(10), "{context}: {took:?}");
    // The database takes a fault that passes; the mail provider is asked once.
    if !for_good && endpoint != Endpoint::Send {
        assert_eq!(answer.status, stage.success(), "{context}: {}", answer.body);
    }
    assert_documented(&answer, &stage, &context);
    assert_whole(app, &context);
    stage.reach_the_end().await;
    assert_whole(app, &context);
    true
}

/// Tries every fault at every call of these endpoints; answers how many struck.
async fn strike_all(endpoints: &[Endpoint]) -> usize {
    let app = TestApp::start().await;
    let exhaustive = std::env::var_os("EXHAUSTIVE").is_some();
    let (mut struck, mut n) = (0, 0);
    for endpoint in endpoints {
        for kind in KINDS {
            for for_good in [false, true] {
                // Waiting for many timeouts takes minutes: only `./check --all` has them.
                if kind.0.starts_with("slow") && for_good && !exhaustive {
                    continue;
                }
                for at in 0..4 {
                    n += 1;
                    struck += usize::from(strike(&app, *endpoint, kind, at, for_good, n).await);
                }
            }
        }
    }
    let lines = app.system.logs.lines();
    assert!(lines.iter().all(|line| !line.text.contains("@example.com")), "no address in a log");
    // Read by whoever wants to know how many were tried: `cargo test ... -- --nocapture`.
    eprintln!("{struck} faults struck at {endpoints:?}");
    struck
}

#[tokio::test]
async fn sending_and_redeeming_passcodes_survives_every_fault_at_every_call() {
    assert!(strike_all(&[Endpoint::Send, Endpoint::AuthByEmail]).await >= 70);
}

#[tokio::test]
async fn single_sign_on_survives_every_fault_at_every_call() {
    assert!(strike_all(&[Endpoint::Sso, Endpoint::Redeem]).await >= 60);
}

#[tokio::test]
async fn customers_and_their_pairs_survive_every_fault_at_every_call() {
    let endpoints = [Endpoint::Create, Endpoint::List, Endpoint::Get, Endpoint::AuthByCuid, Endpoint::Nopasscode];
    assert!(strike_all(&endpoints).await >= 100);
}
