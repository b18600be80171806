//! Suspending, revoking, rotating and erasing while everything else goes on: whatever begins after the command has
//! answered is refused, and nothing before it went wrong.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    caller::{Answer, Caller},
    races::{crowd, size},
    support::TestApp,
};

const EMAIL: &str = "ada@example.com";

/// What goes on meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Traffic {
    /// The customer's own pair.
    Own,
    /// The App's reading of the customer.
    Show,
    List,
    Sso,
    Send,
    /// A passcode that cannot be right.
    Guess,
    AuthByCuid,
    Nopasscode,
    /// A ticket that was issued before.
    Redeem,
}

const ALL: [Traffic; 9] = [
    Traffic::Own,
    Traffic::Show,
    Traffic::List,
    Traffic::Sso,
    Traffic::Send,
    Traffic::Guess,
    Traffic::AuthByCuid,
    Traffic::Nopasscode,
    Traffic::Redeem,
];

/// What calls, and with what.
struct Scene<'a> {
    demo: Caller<'a>,
    own: Caller<'a>,
    platform: Caller<'a>,
    cuid: String,
    ticket: String,
}

impl<'a> Scene<'a> {
    async fn set(app: &'a TestApp) -> Self {
        let cuid = app.demo().get("/customer").await.body[0]["cuid"].as_str().unwrap().to_owned();
        let pair = app.demo().auth_by_cuid(&cuid).await.body;
        let ticket = app.demo().ticket(EMAIL).await;
        Self { demo: app.demo(), own: app.as_customer(&pair), platform: app.platform(), cuid, ticket }
    }

    async fn ask(&self, traffic: Traffic) -> Answer {
        match traffic {
            Traffic::Own => self.own.show(&self.cuid).await,
            Traffic::Show => self.demo.show(&self.cuid).await,
            Traffic::List => self.demo.get("/customer").await,
            Traffic::Sso => self.demo.sso(EMAIL).await,
            Traffic::Send => self.demo.send(EMAIL).await,
            Traffic::Guess => self.demo.auth(EMAIL, "00000000").await,
            Traffic::AuthByCuid => self.demo.auth_by_cuid(&self.cuid).await,
            Traffic::Nopasscode => self.demo.nopasscode(EMAIL).await,
            Traffic::Redeem => self.platform.redeem(&self.ticket).await,
        }
    }
}

/// One answer, and when its request began.
struct Seen {
    traffic: Traffic,
    began: Instant,
    answer: Answer,
}

/// Gives `command` in the midst of all traffic. Answers what was seen, and when the command had been answered.
async fn amid_traffic(app: &TestApp, scene: &Scene<'_>, command: Value) -> (Vec<Seen>, Instant) {
    let seen = Mutex::new(Vec::new());
    let stop = tokio::sync::watch::Sender::new(false);
    let work = async |traffic| {
        while !*stop.borrow() {
            let began = Instant::now();
            let answer = scene.ask(traffic).await;
            seen.lock().unwrap().push(Seen { traffic, began, answer });
        }
    };
    // However slow the machine: some of everything before, and some of everything that began after.
    let some_of_all_since = async |began: Instant| {
        let enough = |traffic| {
            let seen = seen.lock().unwrap();
            seen.iter().filter(|one: &&Seen| one.traffic == traffic && one.began > began).count() >= size(2, 20)
        };
        while !ALL.into_iter().all(enough) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let give = async {
        some_of_all_since(Instant::now()).await;
        app.command(command).await;
        let done = Instant::now();
        some_of_all_since(done).await;
        stop.send_replace(true);
        done
    };
    let (done, _) = tokio::join!(give, futures::future::join_all(ALL.map(work)));
    (seen.into_inner().unwrap(), done)
}

/// Asserts that before the command everything was as ever, and after it was `after`.
#[track_caller]
fn assert_effect(seen: &[Seen], done: Instant, after: impl Fn(Traffic) -> (u16, &'static str)) {
    for Seen { traffic, began, answer } in seen {
        let got = (answer.status, answer.code());
        let usual = match traffic {
            Traffic::Guess => (401, "invalid_passcode"),
            Traffic::Sso => (302, ""),
            _ => (200, ""),
        };
        let is_usual = got == usual || (*traffic == Traffic::Redeem && got == (401, "invalid_ticket"));
        if *began > done {
            assert_eq!(got, after(*traffic), "{traffic:?} after the command");
        } else {
            assert!(is_usual || got == after(*traffic), "{traffic:?} during the command: {got:?}");
        }
    }
}

#[tokio::test]
async fn suspending_a_customer_takes_effect_on_the_next_request_amid_all_others() {
    let app = crowd().await;
    let scene = Scene::set(&app).await;
    let (seen, done) = amid_traffic(&app, &scene, json!({ "command": "suspend_customer", "cuid": scene.cuid })).await;
    assert_effect(&seen, done, |traffic| match traffic {
        Traffic::Show | Traffic::List => (200, ""),
        Traffic::Redeem => (401, "invalid_ticket"),
        _ => (401, "not_allowed"),
    });
}

#[tokio::test]
async fn suspending_an_app_takes_effect_on_the_next_request_amid_all_others() {
    let app = crowd().await;
    let scene = Scene::set(&app).await;
    let command = json!({ "command": "suspend_app", "superkey": app.demo.app.superkey });
    let (seen, done) = amid_traffic(&app, &scene, command).await;
    assert_effect(&seen, done, |traffic| match traffic {
        Traffic::Own => (200, ""),
        Traffic::Redeem => (401, "invalid_ticket"),
        _ => (401, "not_allowed"),
    });
}

#[tokio::test]
async fn revoking_every_pair_takes_effect_on_the_next_request_amid_all_others() {
    let app = crowd().await;
    let scene = Scene::set(&app).await;
    let (seen, done) = amid_traffic(&app, &scene, json!({ "command": "revoke_credentials", "cuid": scene.cuid })).await;
    assert_effect(&seen, done, |traffic| match traffic {
        Traffic::Own => (403, "invalid_token"),
        Traffic::Redeem => (401, "invalid_ticket"),
        Traffic::Sso => (302, ""),
        Traffic::Guess => (401, "invalid_passcode"),
        _ => (200, ""),
    });
    // A pair was issued before or after: nothing in between.
    for pair in seen.iter().filter(|seen| seen.answer.body["token"].is_string()) {
        let shown = app.as_customer(&pair.answer.body).show(&scene.cuid).await;
        match shown.status {
            200 => {}
            403 => assert!(pair.began < done, "a pair that was issued after the command lives"),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn rotating_a_token_takes_effect_on_the_next_request_amid_all_others() {
    let app = crowd().await;
    let scene = Scene::set(&app).await;
    let command = json!({ "command": "rotate_token", "key": app.demo.app.superkey });
    let (seen, done) = amid_traffic(&app, &scene, command).await;
    assert_effect(&seen, done, |traffic| match traffic {
        Traffic::Own => (200, ""),
        Traffic::Redeem => (401, "invalid_ticket"),
        _ => (403, "invalid_token"),
    });
}

#[tokio::test]
async fn erasing_a_customer_takes_effect_on_the_next_request_amid_all_others() {
    let app = crowd().await;
    let scene = Scene::set(&app).await;
    let (seen, done) = amid_traffic(&app, &scene, json!({ "command": "erase_customer", "cuid": scene.cuid })).await;
    assert_effect(&seen, done, |traffic| match traffic {
        Traffic::List => (200, ""),
        Traffic::Own => (404, "no_matching_key"),
        Traffic::Redeem => (401, "invalid_ticket"),
        _ => (404, "user_not_found"),
    });
    for pair in seen.iter().filter(|seen| seen.answer.body["token"].is_string()) {
        let shown = app.as_customer(&pair.answer.body).show(&scene.cuid).await;
        assert_eq!((shown.status, shown.code()), (404, "no_matching_key"), "no pair outlives its customer");
    }
    let left = |table| app.tables.items(table).unwrap().len();
    assert_eq!((left("CustomersTable"), left("DirectoryTable")), (0, 0));
    let anew = app.demo().create(EMAIL).await;
    assert_eq!(anew.status, 201, "the address is free");
    assert_eq!(app.demo().send(EMAIL).await.status, 200);
    assert_eq!(app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await.body["cuid"], anew.body["cuid"]);
}

#[tokio::test]
async fn commands_that_meet_each_other_leave_record_and_guard_alike() {
    let app = crowd().await;
    let cuid = app.demo().get("/customer").await.body[0]["cuid"].clone();
    // So that there is one to be compared.
    app.command(json!({ "command": "change_customer", "cuid": cuid, "language": "fr" })).await;
    for round in 1..=size(6, 30) {
        let commands = (0..20).map(|n| match n % 5 {
            0 => json!({ "command": "suspend_customer", "cuid": cuid }),
            1 => json!({ "command": "resume_customer", "cuid": cuid }),
            2 => json!({ "command": "revoke_credentials", "cuid": cuid }),
            3 => json!({ "command": "change_customer", "cuid": cuid, "language": format!("x-{round}-{n}") }),
            _ => json!({ "command": "change_customer", "cuid": cuid, "email": format!("{round}.{n}@example.com") }),
        });
        let done = futures::future::join_all(commands.map(|command| app.operate(command))).await;
        for refusal in done.iter().filter_map(|done| done.as_ref().err()) {
            assert_eq!(refusal, "The command could not be carried out. Try again later.");
        }
        assert!(done.iter().any(Result::is_ok));
        let alone = |table| {
            let mut items = app.tables.items(table).unwrap();
            assert_eq!(items.len(), 1, "{table}");
            items.remove(0)
        };
        let (customer, guard) = (alone("CustomersTable"), alone("DirectoryTable"));
        for name in ["cuid", "app", "email", "status", "epoch", "language"] {
            assert_eq!(customer[name], guard[name], "{name}");
            assert!(!guard[name].is_null(), "{name} is called something else now");
        }
    }
}
