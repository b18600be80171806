//! Every endpoint with every fault at every call: the answer is a documented one in time, nothing is half-written, and
//! repeating the request reaches the right end.

mod stage;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use local::faults::{Attempt, Fault};
use serde_json::json;
use stage::{Endpoint, Stage};

use crate::{caller::Answer, record_copies::difference, support::TestApp};

/// A way to go wrong.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// Whether the SDK and the store get over it where it happens once.
    passes: bool,
    /// What becomes of a call; `None` where this does not happen to such a call.
    fault: fn(&Attempt<'_>) -> Option<Fault>,
}

const fn passing(name: &'static str, fault: fn(&Attempt<'_>) -> Option<Fault>) -> Kind {
    Kind { name, passes: true, fault }
}

const fn lasting(name: &'static str, fault: fn(&Attempt<'_>) -> Option<Fault>) -> Kind {
    Kind { name, passes: false, fault }
}

fn dynamodb(attempt: &Attempt<'_>) -> bool {
    !matches!(attempt.action, "SendEmail" | "DeleteSuppressedDestination")
}

fn refusal(status: u16, kind: &str) -> Fault {
    Fault::Answer(status, json!({ "__type": kind, "message": "DEPENDENCY TEXT" }))
}

fn cancelled(attempt: &Attempt<'_>, reason: &str) -> Option<Fault> {
    (attempt.action == "TransactWriteItems").then(|| {
        let reasons = json!([{ "Code": reason }, { "Code": "None" }, { "Code": "None" }]);
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Fault::Answer(400, json!({ "__type": kind, "message": "DEPENDENCY TEXT", "CancellationReasons": reasons }))
    })
}

fn of_mail(attempt: &Attempt<'_>, status: u16, kind: &str) -> Option<Fault> {
    (!dynamodb(attempt)).then(|| refusal(status, kind))
}

const KINDS: [Kind; 18] = [
    passing("throttled", |attempt| {
        let ours = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        Some(if dynamodb(attempt) { refusal(400, ours) } else { refusal(429, "TooManyRequestsException") })
    }),
    passing("internal error", |_| Some(refusal(500, "InternalServerError"))),
    passing("cut before the effect", |_| Some(Fault::CutBefore)),
    passing("cut after the effect", |_| Some(Fault::CutAfter)),
    passing("slow past the attempt's timeout", |attempt| {
        Some(Fault::Slow(if dynamodb(attempt) { Duration::from_millis(1100) } else { Duration::from_millis(5100) }))
    }),
    passing("just within the attempt's timeout", |attempt| {
        dynamodb(attempt).then_some(Fault::Slow(Duration::from_millis(800)))
    }),
    passing("batch left unread", |attempt| {
        let unread = || json!({ "Responses": {}, "UnprocessedKeys": attempt.request["RequestItems"] });
        (attempt.action == "BatchGetItem").then(|| Fault::Answer(200, unread()))
    }),
    passing("part of a batch left unread", |attempt| (attempt.action == "BatchGetItem").then_some(Fault::Partial)),
    passing("conflict", |attempt| match attempt.action {
        "UpdateItem" => Some(refusal(400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException")),
        _ => cancelled(attempt, "TransactionConflict"),
    }),
    passing("transaction throttled", |attempt| cancelled(attempt, "ThrottlingError")),
    passing("transaction in progress", |attempt| {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionInProgressException";
        (attempt.action == "TransactWriteItems").then(|| refusal(400, kind))
    }),
    lasting("not permitted", |attempt| {
        let kind = "com.amazon.coral.service#AccessDeniedException";
        Some(refusal(if dynamodb(attempt) { 400 } else { 403 }, kind))
    }),
    lasting("nonsense", |_| Some(Fault::Answer(200, json!("DEPENDENCY TEXT")))),
    lasting("killed before the effect", |_| Some(Fault::KillBefore)),
    lasting("killed after the effect", |_| Some(Fault::KillAfter)),
    lasting("mail rejected", |attempt| of_mail(attempt, 400, "MessageRejected")),
    lasting("account paused", |attempt| of_mail(attempt, 400, "SendingPausedException")),
    lasting("account suspended", |attempt| of_mail(attempt, 400, "AccountSuspendedException")),
];

/// Whatever happened, records and guards belong together, and every pair has its customer.
fn assert_whole(app: &TestApp, context: &str) {
    let items = |table: &str| app.tables.items(table).unwrap();
    let cuids = |table: &str| -> BTreeSet<String> {
        items(table).iter().map(|item| item["cuid"]["S"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(difference(&items("AppsTable")), None, "{context}");
    let customers = cuids("CustomersTable");
    assert_eq!(customers, cuids("DirectoryTable"), "{context}");
    // An erased customer's pairs stay until their time is over, good for nothing.
    if !context.contains("erase_customer") {
        assert!(cuids("CredentialsTable").is_subset(&customers), "{context}");
    }
}

#[track_caller]
fn assert_documented(answer: &Answer, stage: &Stage<'_>, context: &str) {
    if answer.status == stage.success() {
        return;
    }
    // Lambda's, or API Gateway's, own words where the process is gone.
    if context.contains("killed") {
        let message = answer.body["message"].as_str().unwrap();
        let is_lambdas = message == "Internal Server Error" || message.contains("Runtime exited");
        assert!(answer.status == 500 && is_lambdas, "{context}: {}", answer.body);
        return;
    }
    assert_eq!((answer.status, answer.code()), (500, "internal_error"), "{context}: {}", answer.body);
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.ends_with("Try again later.") && message.starts_with("The "), "{context}: {message}");
    assert!(!answer.body.to_string().contains("DEPENDENCY"), "{context}");
    if !matches!(stage.endpoint, Endpoint::Command(_)) {
        answer.assert_headers();
    }
}

/// A fault to be tried: at the `at`th call, then or from then on.
#[derive(Clone, Copy)]
struct Strike {
    kind: Kind,
    at: usize,
    for_good: bool,
}

impl Strike {
    /// Those that are tried at an endpoint, but for the call.
    fn all(endpoint: Endpoint) -> Vec<(Kind, bool)> {
        let all = KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]);
        // Nobody is killed twice.
        let all = all.filter(|(kind, for_good)| !(*for_good && kind.name.starts_with("killed")));
        if std::env::var_os("EXHAUSTIVE").is_some() {
            return all.collect();
        }
        // Waiting for many timeouts takes minutes, and the commands make the same calls: `./check --all` has them.
        let worst = ["cut after the effect", "conflict", "killed after the effect"];
        all.filter(|(kind, for_good)| match endpoint {
            Endpoint::Command(_) => !for_good && worst.contains(&kind.name),
            _ => !(*for_good && kind.name.contains("timeout")),
        })
        .collect()
    }

    /// Whether the fault struck; `None` where there are no more calls.
    async fn strike(self, app: &TestApp, endpoint: Endpoint, n: usize) -> Option<bool> {
        let Self { kind, at, for_good } = self;
        let stage = Stage::set(app, endpoint, n).await;
        let context = format!("{endpoint:?}, {} at call {at}{}", kind.name, if for_good { " and after" } else { "" });
        let (made, struck) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counters = [made.clone(), struck.clone()];
        app.system.backends.faults.inject(move |attempt| {
            let call = counters[0].fetch_add(1, SeqCst);
            let fault = if call == at || (for_good && call > at) { (kind.fault)(attempt) } else { None };
            counters[1].fetch_add(usize::from(fault.is_some()), SeqCst);
            fault
        });
        let started = Instant::now();
        let answer = stage.ask().await;
        let took = started.elapsed();
        app.system.backends.faults.clear();
        if struck.load(SeqCst) == 0 {
            return (made.load(SeqCst) > at).then_some(false);
        }
        assert!(took < endpoint.timeout(app), "{context}: {took:?}");
        // The database is asked again; the mail provider is asked once.
        if kind.passes && !for_good && endpoint != Endpoint::Send {
            assert_eq!(answer.status, stage.success(), "{context}: {}", answer.body);
        }
        assert_documented(&answer, &stage, &context);
        assert_whole(app, &context);
        stage.reach_the_end().await;
        assert_whole(app, &context);
        Some(true)
    }
}

/// Tries every fault at every call of this endpoint; answers how many struck.
async fn strike_all(endpoint: Endpoint) -> usize {
    let app = TestApp::start().await;
    let (mut struck, mut n) = (0, 0);
    for (kind, for_good) in Strike::all(endpoint) {
        for at in 0.. {
            n += 1;
            match (Strike { kind, at, for_good }).strike(&app, endpoint, n).await {
                Some(it_struck) => struck += usize::from(it_struck),
                None => break,
            }
        }
    }
    // Read by whoever wants to know how many were tried: `cargo test ... -- --nocapture`.
    eprintln!("{struck} faults struck at {endpoint:?}");
    struck
}

/// Most of the time is spent waiting for timeouts: each endpoint waits in a system of its own.
async fn strike_all_at(endpoints: &[Endpoint]) -> usize {
    join_all(endpoints.iter().map(|endpoint| strike_all(*endpoint))).await.into_iter().sum()
}

const PASSCODES_AND_TICKETS: [Endpoint; 4] = [Endpoint::Send, Endpoint::AuthByEmail, Endpoint::Sso, Endpoint::Redeem];
const CUSTOMERS_AND_PAIRS: [Endpoint; 8] = [
    Endpoint::Create,
    Endpoint::List,
    Endpoint::Get,
    Endpoint::Change,
    Endpoint::AuthByCuid,
    Endpoint::Nopasscode,
    Endpoint::RevokeAll,
    Endpoint::RevokeOwn,
];

#[tokio::test]
async fn passcodes_and_tickets_survive_every_fault_at_every_call() {
    assert!(strike_all_at(&PASSCODES_AND_TICKETS).await >= 130);
}

#[tokio::test]
async fn customers_and_their_pairs_survive_every_fault_at_every_call() {
    assert!(strike_all_at(&CUSTOMERS_AND_PAIRS).await >= 130);
}

#[tokio::test]
async fn every_function_with_a_route_is_struck() {
    let app = TestApp::start().await;
    let struck = PASSCODES_AND_TICKETS.iter().chain(&CUSTOMERS_AND_PAIRS).map(|endpoint| endpoint.function());
    let struck: BTreeSet<&str> = struck.collect();
    let routes = app.routes();
    assert_eq!(struck, routes.values().map(String::as_str).collect());
}

#[tokio::test]
async fn the_operators_commands_survive_every_fault_at_every_call() {
    let commands = [
        "create_app",
        "create_platform",
        "change_app",
        "suspend_app",
        "rotate_token",
        "list_apps",
        "find_customer",
        "show_customer",
        "suspend_customer",
        "change_customer",
        "revoke_credentials",
        "allow_mail",
        "reset_limits",
        "erase_customer",
    ];
    let mut struck = 0;
    for command in commands {
        struck += strike_all(Endpoint::Command(command)).await;
    }
    assert!(struck >= 30);
}
