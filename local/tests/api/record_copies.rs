//! The records of Apps and platforms stand several times, and a request reads any of them: all say the same, whatever was
//! done, and whatever went wrong.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use local::faults::{Attempt, Fault};
use operator_commands::{COMMANDS, Effect};
use serde_json::{Value, json};
use shared::copies::COPIES;

use crate::{caller::Caller, races::crowd, support::TestApp};

const EMAIL: &str = "ada@example.com";
/// Requests in a row of which chance lets none read one of the four places once in a hundred million times.
const REQUESTS: usize = 70;

impl TestApp {
    /// The record of an App or a platform.
    pub fn record(&self, key: &str) -> Value {
        let key = json!({ "key": { "S": key } });
        self.tables.get("AppsTable", &key).unwrap().unwrap()
    }

    /// Writes a record and its copies past every command.
    pub fn put_record(&self, record: &Value) {
        let tables = &self.tables;
        for item in [record.clone()].into_iter().chain(copies_of(record)) {
            tables.put("AppsTable", &item).unwrap();
        }
    }

    /// Leaves a record alone, as version 0.1 wrote it.
    fn forget_copies(&self, key: &str) {
        let mut tables = self.tables.dump().unwrap();
        let apps = tables.get_mut("AppsTable").unwrap();
        apps.retain(|item| !item["key"]["S"].as_str().unwrap().starts_with(&format!("{key}#")));
        let record = apps.iter_mut().find(|item| item["key"]["S"] == key).unwrap();
        record.as_object_mut().unwrap().remove("version");
        self.tables.replace(&json!(tables)).unwrap();
    }

    /// How many copies of a record there are.
    fn copies(&self, key: &str) -> usize {
        let items = self.tables.items("AppsTable").unwrap();
        items.iter().filter(|item| item["key"]["S"].as_str().unwrap().starts_with(&format!("{key}#"))).count()
    }

    fn assert_copies(&self, context: &str) {
        let difference = difference(&self.tables.items("AppsTable").unwrap());
        assert_eq!(difference, None, "{context}");
    }
}

fn copies_of(record: &Value) -> impl Iterator<Item = Value> {
    (1..=COPIES).map(|number| {
        let text = |name: &str| record[name]["S"].as_str().unwrap();
        let mut copy = record.clone();
        copy["key"] = json!({ "S": format!("{}#{number}", text("key")) });
        copy["kind"] = json!({ "S": format!("{}_copy", text("kind")) });
        copy
    })
}

/// What is wrong with the copies of the records among these items: a record has all of them, each as it is, or none.
pub fn difference(items: &[Value]) -> Option<String> {
    let mut by_key: BTreeMap<&str, &Value> =
        items.iter().map(|item| (item["key"]["S"].as_str().unwrap(), item)).collect();
    for record in items.iter().filter(|item| !item["kind"]["S"].as_str().unwrap().ends_with("_copy")) {
        by_key.remove(record["key"]["S"].as_str().unwrap());
        let copies: Vec<Value> = copies_of(record).collect();
        let found: Vec<_> =
            copies.iter().filter_map(|copy| by_key.remove(copy["key"]["S"].as_str().unwrap())).collect();
        if !found.is_empty() && !copies.iter().eq(found.iter().copied()) {
            return Some(format!("{record} has the copies {found:?}"));
        }
    }
    by_key.into_values().next().map(|copy| format!("{copy} is a copy of nothing"))
}

/// Asserts that so many requests in a row are answered alike.
async fn assert_each(context: &str, expected: (u16, &str), request: impl AsyncFn() -> (u16, String)) {
    for n in 0..REQUESTS {
        let (status, code) = request().await;
        assert_eq!((status, &*code), expected, "request {n} after {context}");
    }
}

async fn listed(caller: &Caller<'_>) -> (u16, String) {
    let answer = caller.get("/customer?limit=1").await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test]
async fn every_request_after_a_command_meets_what_it_did() {
    let app = TestApp::start().await;
    let (superkey, first) = (app.demo.app.superkey.clone(), app.demo.app.supertoken.clone());
    let demo = app.demo();
    demo.create(EMAIL).await;
    let of_app = |command: &str| json!({ "command": command, "superkey": superkey });

    app.command(of_app("suspend_app")).await;
    assert_each("suspend_app", (401, "not_allowed"), async || listed(&demo).await).await;
    app.command(of_app("resume_app")).await;
    assert_each("resume_app", (200, ""), async || listed(&demo).await).await;

    let pair = async || {
        let answer = demo.nopasscode(EMAIL).await;
        (answer.status, answer.code().to_owned())
    };
    app.command(json!({ "command": "change_app", "superkey": superkey, "grants": [] })).await;
    assert_each("change_app", (401, "not_allowed"), pair).await;
    app.command(json!({ "command": "change_app", "superkey": superkey, "grants": ["nopasscode"] })).await;
    assert_each("change_app", (200, ""), pair).await;

    let rotate = async |seconds: u64| {
        let command = json!({ "command": "rotate_token", "key": superkey, "overlap_seconds": seconds });
        app.command(command).await["token"].as_str().unwrap().to_owned()
    };
    let second = rotate(3600).await;
    for token in [&first, &second] {
        let caller = app.as_app(&superkey, token);
        assert_each("rotate_token with an overlap", (200, ""), async || listed(&caller).await).await;
    }
    let third = rotate(0).await;
    for (token, expected) in [(&second, (403, "invalid_token")), (&third, (200, ""))] {
        let caller = app.as_app(&superkey, token);
        assert_each("rotate_token", expected, async || listed(&caller).await).await;
    }
    app.assert_copies("all of it");
}

#[tokio::test]
async fn every_redemption_after_a_command_meets_what_it_did() {
    let app = TestApp::start().await;
    let (platformkey, token) = (&app.demo.platform.platformkey, &app.demo.platform.platformtoken);
    app.demo().create(EMAIL).await;
    let redeem = async |token: &str| {
        let answer = app.as_platform(platformkey, token).redeem("nobody's").await;
        (answer.status, answer.code().to_owned())
    };
    let sso = async || {
        let answer = app.demo().sso(EMAIL).await;
        (answer.status, answer.code().to_owned())
    };
    let of_platform = |command: &str| json!({ "command": command, "platformkey": platformkey });
    app.command(of_platform("suspend_platform")).await;
    assert_each("suspend_platform", (401, "not_allowed"), async || redeem(token).await).await;
    assert_each("suspend_platform", (401, "not_allowed"), sso).await;
    app.command(of_platform("resume_platform")).await;
    assert_each("resume_platform", (401, "invalid_ticket"), async || redeem(token).await).await;
    assert_each("resume_platform", (302, ""), sso).await;
    let rotated = app.command(json!({ "command": "rotate_token", "key": platformkey })).await["token"].clone();
    assert_each("rotate_token", (403, "invalid_token"), async || redeem(token).await).await;
    assert_each("rotate_token", (401, "invalid_ticket"), async || redeem(rotated.as_str().unwrap()).await).await;
    let moved = json!({ "command": "change_platform", "platformkey": platformkey, "url": "https://moved.example/" });
    app.command(moved).await;
    for _ in 0..REQUESTS {
        assert!(app.demo().sso(EMAIL).await.header("location").starts_with("https://moved.example/?ticket="));
    }
}

/// Commands that change an App or a platform, each as it may be given to the demo's, or to nobody's in particular.
fn commands_of_records(app: &TestApp) -> BTreeMap<&'static str, Value> {
    let (superkey, platformkey) = (&app.demo.app.superkey, &app.demo.platform.platformkey);
    BTreeMap::from([
        ("create_app", json!({ "name": "New" })),
        ("change_app", json!({ "superkey": superkey, "name": "Changed", "mails_per_day": 7 })),
        ("suspend_app", json!({ "superkey": superkey })),
        ("resume_app", json!({ "superkey": superkey })),
        ("suspend_mail", json!({ "superkey": superkey })),
        ("resume_mail", json!({ "superkey": superkey })),
        ("set_sender", json!({ "superkey": superkey, "from_address": "mail@acme.example" })),
        ("make_tenants", json!({ "superkey": superkey })),
        ("create_platform", json!({ "name": "New", "url": "https://new.example/" })),
        ("change_platform", json!({ "platformkey": platformkey, "name": "Changed" })),
        ("suspend_platform", json!({ "platformkey": platformkey })),
        ("resume_platform", json!({ "platformkey": platformkey })),
        ("rotate_token", json!({ "key": superkey })),
        ("mend_copies", json!({})),
    ])
}

/// A new command has to be put into one of the two lists.
#[tokio::test]
async fn whatever_changes_a_record_writes_its_copies_also_where_there_were_none() {
    const OF_CUSTOMERS: [&str; 7] = [
        "change_customer",
        "suspend_customer",
        "resume_customer",
        "revoke_credentials",
        "allow_mail",
        "reset_limits",
        "erase_customer",
    ];
    let app = TestApp::start().await;
    let (superkey, platformkey) = (app.demo.app.superkey.clone(), app.demo.platform.platformkey.clone());
    let commands = commands_of_records(&app);
    let changing = COMMANDS.iter().filter(|command| command.effect != Effect::Reads).map(|command| command.name);
    let known: BTreeSet<&str> = commands.keys().copied().chain(OF_CUSTOMERS).collect();
    assert_eq!(changing.collect::<BTreeSet<_>>(), known);
    for (name, fields) in commands {
        app.forget_copies(&superkey);
        app.forget_copies(&platformkey);
        let (records, mut command) = (app.tables.items("AppsTable").unwrap().len(), fields);
        command["command"] = name.into();
        app.command(command.clone()).await;
        app.assert_copies(name);
        let new = app.tables.items("AppsTable").unwrap().len() - records;
        let of_app = if command["superkey"].is_string() || command["key"].is_string() { COPIES } else { 0 };
        match name {
            "mend_copies" => assert_eq!(new, 2 * COPIES),
            "create_app" | "create_platform" => assert_eq!(new, 1 + COPIES, "{name}"),
            _ => assert_eq!((new, app.copies(&superkey)), (COPIES, of_app), "{name}"),
        }
    }
}

#[tokio::test]
async fn an_app_without_copies_is_served_and_has_them_after_its_first_command() {
    let app = TestApp::start().await;
    let superkey = app.demo.app.superkey.clone();
    app.forget_copies(&superkey);
    app.forget_copies(&app.demo.platform.platformkey);
    app.demo().create(EMAIL).await;
    let mut trips = BTreeSet::new();
    for _ in 0..REQUESTS {
        let answer = app.demo().get(&format!("/customer?email={EMAIL}")).await;
        assert_eq!((answer.status, answer.body.as_array().unwrap().len()), (200, 1), "{}", answer.body);
        trips.insert(app.system.backends.calls.of_request(&answer.request_id).len());
    }
    assert_eq!(trips.into_iter().collect::<Vec<_>>(), [2, 3], "the record itself is read where a copy is missing");
    let ticket = app.demo().ticket(EMAIL).await;
    assert_eq!(app.platform().redeem(&ticket).await.status, 200);
    assert_eq!(app.copies(&superkey), 0, "requests write no copies");

    let refused = app.operate(json!({ "command": "change_app", "superkey": superkey })).await;
    assert!(refused.is_err() && app.copies(&superkey) == 0);
    app.command(json!({ "command": "suspend_app", "superkey": superkey })).await;
    assert_eq!((app.copies(&superkey), app.copies(&app.demo.platform.platformkey)), (COPIES, 0));
    assert_each("the first command", (401, "not_allowed"), async || listed(&app.demo()).await).await;
}

#[tokio::test]
async fn nobodys_key_is_looked_up_twice_at_most() {
    let app = TestApp::start().await;
    let nobody = app.as_app("atomsk_0000000000000000000000", &app.demo.app.supertoken);
    let mut calls = BTreeSet::new();
    for _ in 0..REQUESTS {
        let answer = nobody.get("/customer").await;
        answer.assert_error(404, "no_matching_key", "No matching key");
        calls.insert(app.system.backends.calls.of_request(&answer.request_id).len());
    }
    assert_eq!(calls.into_iter().collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn copies_that_are_missing_or_differ_are_mended_and_no_others() {
    let app = TestApp::start().await;
    let mend = || app.command(json!({ "command": "mend_copies" }));
    let whole = app.tables.dump().unwrap();
    assert_eq!(mend().await, json!({ "mended": [], "more": false }));
    assert_eq!(app.tables.dump().unwrap(), whole, "what is whole is left alone");

    let (superkey, platformkey) = (&app.demo.app.superkey, &app.demo.platform.platformkey);
    app.forget_copies(platformkey);
    // As an earlier version changes a record, which knows of no copies.
    let mut record = app.record(superkey);
    record["status"] = json!({ "S": "suspended" });
    app.tables.put("AppsTable", &record).unwrap();
    let first = app.command(json!({ "command": "mend_copies", "limit": 1 })).await;
    assert_eq!((first["mended"].as_array().unwrap().len(), &first["more"]), (1, &json!(true)), "{first}");
    let second = mend().await;
    let both: BTreeSet<_> = [&first, &second].into_iter().map(|it| it["mended"][0].as_str().unwrap()).collect();
    assert_eq!(both, BTreeSet::from([&**superkey, &**platformkey]));
    app.assert_copies("mending");
    assert_each("mending", (401, "not_allowed"), async || listed(&app.demo()).await).await;
    assert_eq!(mend().await, json!({ "mended": [], "more": false }));
}

/// Each of these at once, in each round: all hold afterwards.
#[tokio::test]
async fn commands_at_once_undo_nothing_of_each_other() {
    let app = crowd().await;
    let (superkey, rounds) = (app.demo.app.superkey.clone(), crate::races::size(6, 60));
    let of_app = |fields: Value| {
        let mut command = fields;
        command["superkey"] = superkey.clone().into();
        command
    };
    for round in 1..=rounds {
        if round % 2 == 0 {
            app.forget_copies(&superkey);
        }
        let on = round % 3 == 0;
        let commands = [
            of_app(json!({ "command": "change_app", "name": format!("App {round}") })),
            of_app(json!({ "command": "change_app", "mails_per_day": 1000 + round })),
            of_app(json!({ "command": "change_app", "brand": { "name": format!("Brand {round}") } })),
            of_app(json!({ "command": "change_app", "grants": if on { vec!["passcode"] } else { vec![] } })),
            of_app(json!({ "command": if on { "suspend_app" } else { "resume_app" } })),
            json!({ "command": "rotate_token", "key": superkey, "overlap_seconds": 60 }),
            json!({ "command": "rotate_token", "key": superkey, "overlap_seconds": 60 }),
        ];
        let done = join_all(commands.into_iter().map(|command| app.operate(command))).await;
        assert!(done.iter().all(Result::is_ok), "round {round}: {done:?}");
        let shown = app.command(of_app(json!({ "command": "show_app" }))).await;
        assert_eq!(shown["name"], format!("App {round}"));
        assert_eq!(shown["mails_per_day"], 1000 + round);
        assert_eq!(shown["brand"], json!({ "name": format!("Brand {round}") }));
        assert_eq!(shown["grants"], if on { json!(["passcode"]) } else { json!([]) });
        assert_eq!(shown["status"], if on { "suspended" } else { "active" });
        app.assert_copies(&format!("round {round}"));
        assert_eq!(app.copies(&superkey), COPIES);
        // Two rotations at once follow each other: both tokens are good while they overlap, of which one is the latest.
        for token in [&done[5], &done[6]].map(|it| it.as_ref().unwrap()["token"].as_str().unwrap()) {
            let expected = if on { (401, "not_allowed".to_owned()) } else { (200, String::new()) };
            assert_eq!(listed(&app.as_app(&superkey, token)).await, expected, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_command_that_fails_leaves_all_or_nothing_and_one_that_is_repeated_ends_well() {
    let app = TestApp::start().await;
    let superkey = app.demo.app.superkey.clone();
    let answer = |kind: &str| Fault::Answer(400, json!({ "__type": kind, "message": "DEPENDENCY TEXT" }));
    let cancelled = |code: &str| {
        let reasons = json!([{ "Code": "None" }, { "Code": "None" }, { "Code": code }, { "Code": "None" }]);
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Fault::Answer(400, json!({ "__type": kind, "message": "DEPENDENCY TEXT", "CancellationReasons": reasons }))
    };
    // Whether it struck once or at every attempt, and whether the change is there then.
    let faults = [
        (Fault::CutBefore, false),
        (Fault::CutAfter, true),
        (Fault::KillBefore, false),
        (Fault::KillAfter, true),
        (Fault::Answer(500, json!({ "__type": "InternalServerError" })), false),
        (answer("com.amazon.coral.service#AccessDeniedException"), false),
        (answer("com.amazonaws.dynamodb.v20120810#TransactionInProgressException"), false),
        (cancelled("TransactionConflict"), false),
        (cancelled("ThrottlingError"), false),
        (cancelled("ValidationError"), false),
    ];
    for (n, (fault, takes_effect)) in faults.into_iter().enumerate() {
        for has_copies in [true, false] {
            app.command(json!({ "command": "resume_app", "superkey": superkey })).await;
            if !has_copies {
                app.forget_copies(&superkey);
            }
            let before = app.tables.items("AppsTable").unwrap();
            let (context, fault) = (format!("{fault:?}, copies: {has_copies}"), fault.clone());
            let strikes = move |attempt: &Attempt<'_>| attempt.action == "TransactWriteItems";
            app.system.backends.faults.inject(move |attempt| strikes(attempt).then(|| fault.clone()));
            let command = json!({ "command": "suspend_app", "superkey": superkey });
            app.operate(command.clone()).await.unwrap_err();
            app.system.backends.faults.clear();
            app.assert_copies(&context);
            if takes_effect {
                assert_eq!(
                    (app.record(&superkey)["status"]["S"].as_str(), app.copies(&superkey)),
                    (Some("suspended"), COPIES)
                );
            } else {
                assert_eq!(app.tables.items("AppsTable").unwrap(), before, "{context}");
            }
            app.command(command).await;
            app.assert_copies(&context);
            assert_eq!(app.copies(&superkey), COPIES);
            assert_eq!(listed(&app.demo()).await, (401, "not_allowed".to_owned()), "{n}: {context}");
        }
    }
}
