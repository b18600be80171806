//! Many at once: the rules hold under any number of parallel requests. Each function has many processes here.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    caller::{Answer, wrong},
    support::TestApp,
};

const EMAIL: &str = "ada@example.com";

/// How many at once, and how often; `./check --all` asks for more.
fn scale(small: usize, large: usize) -> usize {
    if std::env::var_os("EXHAUSTIVE").is_some() { large } else { small }
}

async fn many_processes() -> TestApp {
    TestApp::start_with(|options| options.concurrency = 8).await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn items(app: &TestApp, table: &str) -> usize {
    app.system.backends.tables.items(table).unwrap().len()
}

#[tokio::test]
async fn of_many_creations_with_one_address_one_succeeds_and_the_others_name_it() {
    let app = many_processes().await;
    let demo = app.demo();
    let all = join_all((0..200).map(|_| demo.create(EMAIL))).await;
    assert_eq!((count(&all, 201), count(&all, 409)), (1, 199));
    let cuids: BTreeSet<_> = all.iter().map(|answer| answer.body["cuid"].as_str().unwrap()).collect();
    assert_eq!(cuids.len(), 1);
    for table in ["CustomersTable", "DirectoryTable", "CredentialsTable"] {
        assert_eq!(items(&app, table), 1, "{table}");
    }
}

#[tokio::test]
async fn of_many_right_answers_one_wins() {
    let app = many_processes().await;
    let demo = app.demo();
    demo.create(EMAIL).await;
    for _ in 0..scale(2, 5) {
        app.edit_mails_away();
        demo.send(EMAIL).await;
        let passcode = app.mailed_passcode(EMAIL);
        let before = items(&app, "CredentialsTable");
        let all = join_all((0..scale(300, 1000)).map(|_| demo.auth(EMAIL, &passcode))).await;
        assert_eq!((count(&all, 200), count(&all, 401)), (1, all.len() - 1));
        assert_eq!(items(&app, "CredentialsTable"), before + 1);
    }
}

#[tokio::test]
async fn of_many_redemptions_of_a_ticket_one_wins() {
    let app = many_processes().await;
    app.demo().create(EMAIL).await;
    let ticket = app.demo().ticket(EMAIL).await;
    let platform = app.platform();
    let all = join_all((0..scale(300, 1000)).map(|_| platform.redeem(&ticket))).await;
    assert_eq!((count(&all, 200), count(&all, 401)), (1, all.len() - 1));
}

#[tokio::test]
async fn of_many_distinct_guesses_at_once_five_are_compared() {
    let app = many_processes().await;
    let demo = app.demo();
    demo.create(EMAIL).await;
    let rounds = scale(5, 200);
    let mut won = 0;
    for _ in 0..rounds {
        app.edit_mails_away();
        assert_eq!(demo.send(EMAIL).await.status, 200);
        let passcode = app.mailed_passcode(EMAIL);
        let mut random = [0];
        getrandom::fill(&mut random).unwrap();
        let place = usize::from(random[0]) % 60;
        let guess = |n| if n == place { passcode.clone() } else { distinct(&passcode, n) };
        let guesses: Vec<String> = (0..60).map(guess).collect();
        let all = join_all(guesses.iter().map(|guess| demo.auth(EMAIL, guess))).await;
        won += count(&all, 200);
        assert!(count(&all, 200) <= 1);
        let mut tried = 0;
        app.edit_passcode(|item| tried = item["tried"]["BS"].as_array().map_or(0, Vec::len));
        assert!(tried <= 5, "{tried} distinct guesses were compared");
        // A pause would end the test before its rounds do.
        app.edit_passcode(|item| item["failures"] = json!({ "N": "0" }));
    }
    eprintln!("the right one of 60 guesses won {won} of {rounds} rounds; its fair share is 5 in 60");
}

/// The `n`th wrong guess, all of them distinct.
fn distinct(passcode: &str, n: usize) -> String {
    let number: usize = wrong(passcode, 1).parse().unwrap();
    format!("{:08}", (number + n * 7) % 100_000_000).replace(passcode, "00000000")
}

#[tokio::test]
async fn of_many_sends_at_once_one_mails() {
    let app = many_processes().await;
    let demo = app.demo();
    demo.create(EMAIL).await;
    let all = join_all((0..100).map(|_| demo.send(EMAIL))).await;
    assert_eq!((count(&all, 200), app.mails_to(EMAIL)), (100, 1));
    assert_eq!(all.iter().filter(|answer| answer.header("retry-after").is_empty()).count(), 1);
}

#[tokio::test]
async fn sends_racing_redemptions_never_leave_a_dead_code_in_the_newest_mail() {
    let app = many_processes().await;
    let demo = app.demo();
    demo.create(EMAIL).await;
    for _ in 0..scale(5, 50) {
        app.edit_mails_away();
        demo.send(EMAIL).await;
        let passcode = app.mailed_passcode(EMAIL);
        let sends = join_all((0..10).map(|_| demo.send(EMAIL)));
        let redemptions = join_all((0..10).map(|_| demo.auth(EMAIL, &passcode)));
        let (_, redeemed) = tokio::join!(sends, redemptions);
        assert_eq!(count(&redeemed, 200), 1);
        let newest = app.mailed_passcode(EMAIL);
        if newest == passcode {
            demo.send(EMAIL).await;
        }
        assert_eq!(demo.auth(EMAIL, &app.mailed_passcode(EMAIL)).await.status, 200);
    }
}

#[tokio::test]
async fn erasing_and_revoking_win_over_whatever_is_under_way() {
    let app = many_processes().await;
    let demo = app.demo();
    let cuid = demo.create(EMAIL).await.body["cuid"].as_str().unwrap().to_owned();
    let revoke = app.operate(json!({ "command": "revoke_credentials", "cuid": cuid }));
    let (pairs, revoked) = tokio::join!(join_all((0..50).map(|_| demo.auth_by_cuid(&cuid))), revoke);
    revoked.unwrap();
    // A pair of the new epoch works, one of the old does not; none is half-way.
    for pair in &pairs {
        let shown = app.as_customer(&pair.body).show(&cuid).await;
        assert!([200, 403].contains(&shown.status), "{}", shown.body);
    }
    let erase = app.operate(json!({ "command": "erase_customer", "cuid": cuid }));
    let (pairs, erased) = tokio::join!(join_all((0..50).map(|_| demo.auth_by_cuid(&cuid))), erase);
    erased.unwrap();
    for pair in pairs.iter().filter(|pair| pair.status == 200) {
        app.as_customer(&pair.body).show(&cuid).await.assert_error(404, "no_matching_key", "No matching key");
    }
    assert_eq!((items(&app, "CustomersTable"), items(&app, "DirectoryTable")), (0, 0));
}

impl TestApp {
    /// Forgets the mails of a customer's window, if there are any.
    fn edit_mails_away(&self) {
        if items(self, "PasscodesTable") == 1 {
            self.edit_passcode(|item| item["mails"] = json!({ "L": [] }));
        }
    }
}
