//! Budgets of mails: of a mailbox over all Apps, and of an App. Exact, whoever asks at once and whatever goes wrong.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures::future::join_all;
use local::faults::{Attempt, Fault};
use serde_json::{Value, json};
use shared::passcode::limits::{MAILS_PER_APP, MAILS_PER_MAILBOX, MOST_MAILS_PER_APP};

use crate::{
    caller::{Answer, Caller},
    races::{crowd, size},
    support::TestApp,
};

const SPENT: &str = "Too many passcodes were mailed. Try again later.";

/// An App of one's own with so many mails a day, and its superkey.
async fn app_with(app: &TestApp, mails_per_day: u64) -> (Caller<'_>, String) {
    let command = json!({
        "command": "create_app", "name": "Frugal", "grants": ["passcode"], "mails_per_day": mails_per_day,
    });
    let made = app.command(command).await;
    assert_eq!(made["mails_per_day"], mails_per_day);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (app.as_app(&text("superkey"), &text("supertoken")), text("superkey"))
}

fn mails(app: &TestApp) -> usize {
    app.mails(None).len()
}

/// What is taken of the budget of this App.
fn taken(app: &TestApp, superkey: &str) -> u64 {
    let budgets = app.budgets();
    let budget = budgets.iter().find(|budget| budget["id"]["S"].as_str().unwrap().ends_with(superkey));
    budget.map_or(0, |budget| budget["taken"]["N"].as_str().unwrap().parse().unwrap())
}

/// Refused until the day is over, in UTC.
#[track_caller]
fn assert_spent(answer: &Answer) {
    answer.assert_error(429, "too_many_mails", SPENT);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let rest = 86_400 - since_epoch % 86_400;
    // Midnight may have come between.
    assert!((rest..=rest + 5).contains(&wait) || rest > 86_000, "{wait}, {rest}");
}

#[tokio::test]
async fn an_app_sends_as_many_mails_a_day_as_the_operator_says() {
    let app = TestApp::start().await;
    let (frugal, superkey) = app_with(&app, 2).await;
    for n in 0..4 {
        assert_eq!(frugal.create(&format!("a{n}@example.com")).await.status, 201);
    }
    for n in 0..2 {
        assert_eq!(frugal.send(&format!("a{n}@example.com")).await.status, 200);
    }
    assert_spent(&frugal.send("a2@example.com").await);
    assert_spent(&frugal.send("a2@example.com").await);
    assert_eq!((mails(&app), taken(&app, &superkey)), (2, 2));
    let refused = app.passcodes().into_iter().find(|item| item.get("mailed_at").is_none()).unwrap();
    assert_eq!(refused["mails"]["L"], json!([]), "{refused}");
    assert!(refused.get("lease_until").is_none(), "{refused}");
    // Nobody else's are.
    app.demo().create("a2@example.com").await;
    assert_eq!(app.demo().send("a2@example.com").await.status, 200);

    let changed = app.command(json!({ "command": "change_app", "superkey": superkey, "mails_per_day": 3 })).await;
    assert_eq!(changed["mails_per_day"], 3);
    assert_eq!(frugal.send("a2@example.com").await.status, 200, "on the next request");
    assert_spent(&frugal.send("a3@example.com").await);
    let default = app.command(json!({ "command": "change_app", "superkey": superkey, "mails_per_day": null })).await;
    assert_eq!(default["mails_per_day"], MAILS_PER_APP);
    assert_eq!(frugal.send("a3@example.com").await.status, 200);
    for bad in [json!(0), json!(-1), json!(1.5), json!("2"), json!(MOST_MAILS_PER_APP + 1)] {
        let command = json!({ "command": "change_app", "superkey": superkey, "mails_per_day": bad });
        let refusal = app.operate(command).await.unwrap_err();
        assert_eq!(refusal, "mails_per_day must be a whole number from 1 to 10,000,000.");
    }
}

#[tokio::test]
async fn a_mailbox_gets_few_mails_a_day_whoever_sends_and_whatever_tag_it_bears() {
    let app = TestApp::start().await;
    let other = app.another_app().await;
    let demo = app.demo();
    let address = |n: u64| match n % 3 {
        0 => format!("ada+{n}@example.com"),
        1 => format!("ADA+{n}@Example.com"),
        _ => format!("Ada+a+{n}@example.com"),
    };
    let apps = [&demo, &other];
    let send = async |n: u64| {
        let by = apps[usize::from(n.is_multiple_of(2))];
        assert_eq!(by.create(&address(n)).await.status, 201);
        by.send(&address(n)).await
    };
    for n in 0..MAILS_PER_MAILBOX {
        assert_eq!(send(n).await.status, 200, "{n}");
    }
    for n in 0..4 {
        assert_spent(&send(MAILS_PER_MAILBOX + n).await);
    }
    demo.create("ada@example.com").await;
    assert_spent(&demo.send("ada@example.com").await);
    assert_eq!(mails(&app) as u64, MAILS_PER_MAILBOX);
    demo.create("ada@example.net").await;
    assert_eq!(demo.send("ada@example.net").await.status, 200);
    // What is not mailed is not taken of the App's, and no table tells the mailbox.
    let [of_demo, of_other] = [&demo, &other].map(|by| taken(&app, &by.credentials[0].1));
    assert_eq!(of_demo + of_other, MAILS_PER_MAILBOX + 1);
    let budgets = Value::from(app.budgets()).to_string();
    // As a word: within what is there in base64 it may stand by chance.
    let words = budgets.to_lowercase();
    let mut words = words.split(|letter: char| !letter.is_ascii_alphanumeric());
    assert!(words.all(|word| word != "ada" && word != "example"), "{budgets}");
}

#[tokio::test]
async fn of_many_sends_at_once_no_more_mail_than_an_app_or_a_mailbox_may() {
    let app = crowd().await;
    for round in 1..=size(1, 10) {
        let earlier = mails(&app);
        let (frugal, superkey) = app_with(&app, 7).await;
        let times = size(20, 200);
        let address = |n: usize| format!("round{round}.{n}@example.com");
        for n in 0..times {
            assert_eq!(frugal.create(&address(n)).await.status, 201);
        }
        let answers = join_all((0..times).map(async |n| frugal.send(&address(n)).await)).await;
        let mailed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((mailed, mails(&app) - earlier, taken(&app, &superkey)), (7, 7, 7), "round {round}");
        answers.iter().filter(|answer| answer.status != 200).for_each(assert_spent);

        let most = usize::try_from(MAILS_PER_MAILBOX).unwrap();
        let address = |n: usize| format!("ada+{round}.{n}@round{round}.example");
        let demo = app.demo();
        for n in 0..most + 10 {
            assert_eq!(demo.create(&address(n)).await.status, 201);
        }
        let before = taken(&app, &demo.credentials[0].1);
        let answers = join_all((0..most + 10).map(async |n| demo.send(&address(n)).await)).await;
        let mailed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((mailed, mails(&app) - earlier), (most, most + 7), "round {round}");
        assert_eq!(taken(&app, &demo.credentials[0].1), before + MAILS_PER_MAILBOX);
    }
}

/// The calls that take from a budget.
fn takes(attempt: &Attempt<'_>) -> bool {
    let of_budget = attempt.request["Key"]["id"]["S"].as_str().is_some_and(|id| id.starts_with("budget/"));
    of_budget && attempt.request["UpdateExpression"].as_str().is_some_and(|it| it.contains(":one"))
}

#[tokio::test]
async fn a_take_whose_reply_is_lost_counts_once_and_one_that_fails_mails_nothing() {
    let app = TestApp::start().await;
    let (frugal, superkey) = app_with(&app, 3).await;
    for n in 0..2 {
        frugal.create(&format!("a{n}@example.com")).await;
    }
    let lost = Arc::new(AtomicUsize::new(0));
    let counter = lost.clone();
    app.system
        .backends
        .faults
        .inject(move |attempt| (takes(attempt) && counter.fetch_add(1, SeqCst) < 2).then_some(Fault::CutAfter));
    assert_eq!(frugal.send("a0@example.com").await.status, 200);
    app.system.backends.faults.clear();
    assert!(lost.load(SeqCst) > 2, "both were repeated");
    assert_eq!((mails(&app), taken(&app, &superkey)), (1, 1));
    assert!(app.budgets().iter().all(|budget| budget["taken"]["N"] == "1"), "{:?}", app.budgets());

    // A refusal for good at one of the two: the other and the claim are given back.
    let denied = json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "message": "no" });
    app.system.backends.faults.inject(move |attempt| {
        let of_app = attempt.request["Key"]["id"]["S"].as_str().is_some_and(|id| id.contains("atomsk_"));
        (takes(attempt) && of_app).then(|| Fault::Answer(400, denied.clone()))
    });
    let failed = frugal.send("a1@example.com").await;
    failed.assert_error(500, "internal_error", "The passcode could not be prepared. Try again later.");
    app.system.backends.faults.clear();
    assert_eq!((mails(&app), taken(&app, &superkey)), (1, 1));
    let taken_of = |budget: &Value| budget["taken"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(app.budgets().iter().map(taken_of).sum::<u64>(), 2, "{:?}", app.budgets());
    let sent = frugal.send("a1@example.com").await;
    assert_eq!((sent.status, sent.header("retry-after")), (200, ""));
    assert_eq!(taken(&app, &superkey), 2);
}
