//! Hundreds of requests at once, at many processes of each function: what happens once happens once.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use shared::passcode::limits::{DIGITS, GUESSES_PER_PASSCODE, MAIL_WINDOWS};

use crate::{
    caller::{Answer, Caller, age, wrong},
    support::TestApp,
};

const EMAIL: &str = "ada@example.com";

/// `full` where `EXHAUSTIVE` is set, as `./check exhaustive` does; otherwise what a quick run can afford.
pub fn size(quick: usize, full: usize) -> usize {
    if std::env::var_os("EXHAUSTIVE").is_some() { full } else { quick }
}

/// A system with many processes a function, and one customer.
pub async fn crowd() -> TestApp {
    let app = TestApp::start_with(|options| options.concurrency = 8).await;
    assert_eq!(app.demo().create(EMAIL).await.status, 201);
    app
}

/// Sends the same request this many times at once.
async fn at_once(times: usize, ask: impl AsyncFn(usize) -> Answer) -> Vec<Answer> {
    let ask = &ask;
    join_all((0..times).map(async |n| ask(n).await)).await
}

/// Answers by status and code, counted.
fn tally(answers: &[Answer]) -> Vec<((u16, &str), usize)> {
    let kinds: BTreeSet<_> = answers.iter().map(|answer| (answer.status, answer.code())).collect();
    let count = |kind| answers.iter().filter(|answer| (answer.status, answer.code()) == kind).count();
    kinds.into_iter().map(|kind| (kind, count(kind))).collect()
}

fn items(app: &TestApp, table: &str) -> Vec<Value> {
    app.tables.items(table).unwrap()
}

/// A new passcode for the only customer, whatever was sent before.
async fn new_passcode(app: &TestApp) -> String {
    for item in app.passcodes() {
        let key = item["id"]["S"].as_str().unwrap().to_owned();
        let kept = json!({ "id": { "S": key }, "cuid": item["cuid"] });
        app.tables.put("PasscodesTable", &kept).unwrap();
    }
    assert_eq!(app.demo().send(EMAIL).await.status, 200);
    app.mailed_passcode(EMAIL)
}

#[tokio::test]
async fn of_a_thousand_right_answers_at_once_one_wins() {
    let app = crowd().await;
    for round in 1..=size(2, 10) {
        let passcode = new_passcode(&app).await;
        let before = items(&app, "CredentialsTable").len();
        let times = size(150, 1000);
        let answers = at_once(times, async |_| app.demo().auth(EMAIL, &passcode).await).await;
        assert_eq!(tally(&answers), [((200, ""), 1), ((401, "invalid_passcode"), times - 1)], "round {round}");
        assert_eq!(items(&app, "CredentialsTable").len(), before + 1);
        let pair = answers.iter().find(|answer| answer.status == 200).unwrap();
        let shown = app.as_customer(&pair.body).show(pair.body["cuid"].as_str().unwrap()).await;
        assert_eq!(shown.status, 200);
    }
}

#[tokio::test]
async fn of_a_thousand_redemptions_of_one_ticket_one_wins() {
    let app = crowd().await;
    for round in 1..=size(2, 10) {
        let ticket = app.demo().ticket(EMAIL).await;
        let times = size(150, 1000);
        let answers = at_once(times, async |_| app.platform().redeem(&ticket).await).await;
        assert_eq!(tally(&answers), [((200, ""), 1), ((401, "invalid_ticket"), times - 1)], "round {round}");
    }
}

#[tokio::test]
async fn of_many_guesses_at_once_few_are_compared() {
    let app = crowd().await;
    for round in 1..=size(3, 20) {
        let passcode = new_passcode(&app).await;
        let logged = app.system.logs.lines().len();
        // The right one comes somewhere among the first few hundred: where is up to the processes.
        let (times, width) = (size(100, 1000), DIGITS / 2);
        let guess =
            |n: usize| if n == times / 2 { passcode.clone() } else { format!("{n:0width$}{}", &passcode[width..]) };
        let answers = at_once(times, async |n| app.demo().auth(EMAIL, &guess(n)).await).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(won <= 1, "round {round}");
        let lines = app.system.logs.lines().split_off(logged);
        let compared_wrong = lines.iter().filter(|line| line.text.contains("\"guessed_wrong\"")).count();
        assert!(compared_wrong + won <= GUESSES_PER_PASSCODE, "round {round}: {compared_wrong} and {won}");
        let failed = answers.iter().filter(|answer| answer.status == 500).count();
        if won == 0 && failed == 0 {
            assert_eq!(compared_wrong, GUESSES_PER_PASSCODE);
            app.demo().auth(EMAIL, &passcode).await.assert_error(
                401,
                "invalid_passcode",
                "Expired or invalid passcode.",
            );
        }
    }
}

#[tokio::test]
async fn of_many_creations_with_one_address_one_succeeds_and_nothing_is_half_made() {
    let app = crowd().await;
    for round in 1..=size(2, 10) {
        let email = format!("round{round}@example.com");
        let before = app.tables.dump().unwrap();
        let answers = at_once(200, async |_| app.demo().create(&email).await).await;
        assert_eq!(tally(&answers), [((201, ""), 1), ((409, "customer_exists"), 199)]);
        let cuids: BTreeSet<_> = answers.iter().map(|answer| answer.body["cuid"].as_str().unwrap()).collect();
        assert_eq!(cuids.len(), 1, "all are told of the one customer");
        for (table, items) in app.tables.dump().unwrap() {
            let new = usize::from(["CustomersTable", "DirectoryTable", "CredentialsTable"].contains(&table.as_str()));
            assert_eq!(items.len(), before[&table].len() + new, "{table}");
        }
    }
}

#[tokio::test]
async fn a_moving_address_and_a_creation_with_it_do_not_both_succeed() {
    let app = crowd().await;
    let cuid = app.demo().get("/customer").await.body[0]["cuid"].clone();
    for round in 1..=size(5, 50) {
        let email = format!("round{round}@example.com");
        let change = json!({ "command": "change_customer", "cuid": cuid, "email": email });
        let demo = app.demo();
        let (changed, created) = tokio::join!(app.operate(change), demo.create(&email));
        match created.status {
            201 => assert!(changed.unwrap_err().ends_with("has that address.")),
            409 => assert_eq!((&created.body["cuid"], changed.unwrap()["email"].as_str()), (&cuid, Some(&*email))),
            other => panic!("{other}: {}", created.body),
        }
        let guards = items(&app, "DirectoryTable");
        let customers = items(&app, "CustomersTable");
        let pairs = |items: &[Value]| -> BTreeSet<String> {
            items.iter().map(|item| format!("{} {}", item["cuid"], item["email"])).collect()
        };
        assert_eq!((guards.len(), pairs(&guards)), (customers.len(), pairs(&customers)));
    }
}

#[tokio::test]
async fn of_many_sends_at_once_one_mails() {
    let app = crowd().await;
    for round in 1..=size(3, 20) {
        let before = app.mails_to(EMAIL);
        new_passcode(&app).await;
        app.edit_passcode(|item| age(item, &["mailed_at"], app.cooldown()));
        let times = size(100, 300);
        let answers = at_once(times, async |_| app.demo().send(EMAIL).await).await;
        assert_eq!(tally(&answers), [((200, ""), times)], "round {round}");
        let held_back = answers.iter().filter(|answer| !answer.header("retry-after").is_empty()).count();
        assert_eq!((held_back, app.mails_to(EMAIL) - before), (times - 1, 2));
    }
}

#[tokio::test]
async fn without_a_cooldown_many_sends_at_once_carry_one_code_and_stay_within_the_cap() {
    let app = TestApp::start_with(|options| {
        options.concurrency = 8;
        options.parameter_overrides.insert("PasscodeCooldownSeconds".to_owned(), "0".to_owned());
    })
    .await;
    app.demo().create(EMAIL).await;
    let answers = at_once(size(100, 300), async |_| app.demo().send(EMAIL).await).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 429)), "{:?}", tally(&answers));
    let mails = app.mails(Some(EMAIL));
    let codes: BTreeSet<_> = mails.iter().map(|mail| crate::support::passcode_in(&mail.text)).collect();
    assert_eq!(codes.len(), 1);
    assert!((1..=MAIL_WINDOWS[0].mails).contains(&mails.len()), "{}", mails.len());
}

#[tokio::test]
async fn a_send_that_races_a_redemption_leaves_a_customer_who_can_go_on() {
    let app = crowd().await;
    for round in 1..=size(5, 100) {
        let passcode = new_passcode(&app).await;
        app.edit_passcode(|item| age(item, &["mailed_at"], app.cooldown()));
        let before = app.mails_to(EMAIL);
        let demo: Caller<'_> = app.demo();
        let answers = at_once(30, async |n| match n % 3 {
            0 => demo.send(EMAIL).await,
            1 => demo.auth(EMAIL, &passcode).await,
            _ => demo.auth(EMAIL, &wrong(&passcode, 1)).await,
        })
        .await;
        let won = answers.iter().filter(|answer| answer.body["token"].is_string()).count();
        let documented =
            |answer: &Answer| matches!((answer.status, answer.code()), (200, "") | (401, "invalid_passcode"));
        assert!(won <= 1 && answers.iter().all(documented), "round {round}: {won}, {:?}", tally(&answers));
        // The old code once more and a new one after it: a mail for each at the most.
        assert!(app.mails_to(EMAIL) <= before + 2, "round {round}");
        app.edit_passcode(|item| age(item, &["mailed_at"], app.cooldown()));
        assert_eq!(demo.send(EMAIL).await.status, 200);
        assert_eq!(demo.auth(EMAIL, &app.mailed_passcode(EMAIL)).await.status, 200, "round {round}");
    }
}
