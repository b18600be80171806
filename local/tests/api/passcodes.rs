//! Passcodes as a customer and an attacker meet them.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};
use shared::passcode::{
    Passcode,
    limits::{DIGITS, FAILURES_IN_A_ROW, GUESSES_PER_PASSCODE, MAIL_WINDOWS, PAUSE},
};

use crate::{
    caller::{Answer, age, segment, wrong},
    support::{TestApp, executables},
};

const EMAIL: &str = "ada@example.com";
const MINUTE: u64 = 60_000;

#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert_error(401, "invalid_passcode", "Expired or invalid passcode.");
}

async fn with_customer() -> TestApp {
    let app = TestApp::start().await;
    app.demo().create("Ada@Example.com").await;
    app
}

/// Lets the cooldown pass, and nothing else.
fn pass_cooldown(app: &TestApp) {
    app.edit_passcode(|item| age(item, &["mailed_at"], app.cooldown()));
}

/// Asserts that a wait in seconds is the whole of `milliseconds`, but for the time that the test takes.
#[track_caller]
fn assert_waits(answer: &Answer, milliseconds: u64) {
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    let whole = milliseconds / 1000;
    assert!((whole.saturating_sub(10).max(1)..=whole).contains(&wait), "{wait} s of {whole}");
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

fn now() -> u64 {
    millis(std::time::UNIX_EPOCH.elapsed().unwrap())
}

#[tokio::test]
async fn the_mail_holds_the_passcode_and_the_answer_does_not() {
    let app = with_customer().await;
    let sent = app.demo().send(EMAIL).await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.body, json!({ "message": "We have emailed the passcode to: Ada@Example.com" }));
    sent.assert_headers();
    assert_eq!(sent.header("retry-after"), "");
    let mail = app.mails(None).remove(0);
    assert_eq!(mail.to, "Ada@example.com", "the address on record, its domain in ASCII form");
    let passcode = app.mailed_passcode(&mail.to);
    let grouped = Passcode::parse(&passcode).unwrap().grouped();
    assert!(mail.text.contains(&grouped) && mail.html.contains(&grouped));
    assert!(!mail.subject.bytes().any(|byte| byte.is_ascii_digit()), "{}", mail.subject);
    assert!(!mail.text.contains("http") && !mail.text.contains("www."), "{}", mail.text);
    let items = serde_json::to_string(&app.tables.dump().unwrap()).unwrap();
    assert!(!items.contains(&passcode));
}

#[tokio::test]
async fn the_same_code_is_mailed_again_after_the_cooldown_and_a_new_one_after_its_use() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let first = app.mailed_passcode(EMAIL);
    let held = app.demo().send(EMAIL).await;
    assert_eq!((held.status, app.mails_to(EMAIL)), (200, 1));
    assert_waits(&held, app.cooldown());
    pass_cooldown(&app);
    assert_eq!(app.demo().send(EMAIL).await.header("retry-after"), "");
    assert_eq!((app.mails_to(EMAIL), app.mailed_passcode(EMAIL)), (2, first.clone()));

    let pair = app.demo().auth(EMAIL, &first).await;
    assert_eq!(pair.status, 200);
    assert_eq!(app.as_customer(&pair.body).show(pair.body["cuid"].as_str().unwrap()).await.status, 200);
    assert_refused(&app.demo().auth(EMAIL, &first).await);
    assert_eq!(app.demo().send(EMAIL).await.header("retry-after"), "", "the living code has not been mailed yet");
    assert_ne!(app.mailed_passcode(EMAIL), first);
}

#[tokio::test]
async fn a_passcode_expires_exactly_and_is_never_extended() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    let rest = MINUTE;
    app.edit_passcode(|item| age(item, &["mailed_at", "expires_at"], app.passcode_lifetime() - rest));
    app.demo().send(EMAIL).await;
    assert_eq!((app.mails_to(EMAIL), app.mailed_passcode(EMAIL)), (2, passcode.clone()));
    app.edit_passcode(|item| age(item, &["expires_at"], rest));
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    app.demo().send(EMAIL).await;
    assert_ne!(app.mailed_passcode(EMAIL), passcode);
}

#[tokio::test]
async fn spaces_and_hyphens_are_ignored_and_what_is_no_code_is_not_counted() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    for missing in ["", "?passcode="] {
        let path = format!("/customer/{}/auth{missing}", segment(EMAIL));
        app.demo().get(&path).await.assert_error(400, "missing_passcode", "Missing passcode");
    }
    let (shorter, longer) = ("7".repeat(DIGITS - 1), "7".repeat(DIGITS + 1));
    for text in [&*shorter, &*longer, &*format!("{shorter}a"), "%20", "-"] {
        assert_refused(&app.demo().auth(EMAIL, text).await);
    }
    app.edit_passcode(|item| assert!(item.get("tried").is_none() && item.get("failures").is_none(), "{item}"));
    let spaced = format!("%20{}-", Passcode::parse(&passcode).unwrap().grouped().replace(' ', "+"));
    assert_eq!(app.demo().auth(EMAIL, &spaced).await.status, 200);
}

#[tokio::test]
async fn wrong_guesses_exhaust_a_passcode_and_repeating_one_costs_nothing() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    for guess in 1..GUESSES_PER_PASSCODE {
        for _ in 0..3 {
            assert_refused(&app.demo().auth(EMAIL, &wrong(&passcode, guess)).await);
        }
    }
    app.edit_passcode(|item| assert_eq!(item["failures"]["N"], (GUESSES_PER_PASSCODE - 1).to_string()));
    assert_refused(&app.demo().auth(EMAIL, &wrong(&passcode, GUESSES_PER_PASSCODE)).await);
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    let sent = app.demo().send(EMAIL).await;
    assert_eq!(sent.header("retry-after"), "", "an exhausted code is not the living one");
    let next = app.mailed_passcode(EMAIL);
    assert_ne!(next, passcode);
    assert_eq!(app.demo().auth(EMAIL, &next).await.status, 200);
}

#[tokio::test]
async fn many_failures_in_a_row_pause_a_customer_for_an_hour() {
    let app = with_customer().await;
    let mut failures = 0;
    let mut codes = 0;
    while failures < FAILURES_IN_A_ROW {
        assert_eq!(app.demo().send(EMAIL).await.status, 200, "after {failures} failures");
        codes += 1;
        let passcode = app.mailed_passcode(EMAIL);
        for guess in (1..=GUESSES_PER_PASSCODE).take(usize::try_from(FAILURES_IN_A_ROW - failures).unwrap()) {
            assert_refused(&app.demo().auth(EMAIL, &wrong(&passcode, guess)).await);
            failures += 1;
        }
        // Mails of their own window do not matter here.
        app.edit_passcode(|item| item["mails"] = json!({ "L": [] }));
    }
    let paused = app.demo().send(EMAIL).await;
    assert_eq!((paused.status, paused.code()), (429, "too_many_mails"));
    assert_waits(&paused, millis(PAUSE));
    assert_eq!(app.mails_to(EMAIL), codes);

    app.edit_passcode(|item| age(item, &["last_guess_at", "expires_at", "mailed_at"], millis(PAUSE)));
    assert_eq!(app.demo().send(EMAIL).await.status, 200);
    app.edit_passcode(|item| assert_eq!(item["failures"]["N"], "0", "the count starts at 0 after the pause"));
    assert_eq!(app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await.status, 200);
}

#[tokio::test]
async fn the_pause_begins_in_the_middle_of_a_passcode_and_the_right_guess_has_to_wait_too() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    app.edit_passcode(|item| item["failures"] = json!({ "N": (FAILURES_IN_A_ROW - 2).to_string() }));
    for guess in 1..=3 {
        assert_refused(&app.demo().auth(EMAIL, &wrong(&passcode, guess)).await);
    }
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    app.edit_passcode(|item| {
        let tried = item["tried"]["BS"].as_array().unwrap().len();
        assert_eq!((&item["failures"]["N"], tried), (&json!(FAILURES_IN_A_ROW.to_string()), 2), "{item}");
    });
    assert_eq!(app.demo().send(EMAIL).await.status, 429);
}

#[tokio::test]
async fn a_new_code_does_not_reset_the_failures_and_a_success_does() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    for guess in 1..=GUESSES_PER_PASSCODE {
        app.demo().auth(EMAIL, &wrong(&passcode, guess)).await;
    }
    app.demo().send(EMAIL).await;
    app.edit_passcode(|item| assert_eq!(item["failures"]["N"], GUESSES_PER_PASSCODE.to_string()));
    app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await;
    app.edit_passcode(|item| assert_eq!(item["failures"]["N"], "0"));
}

#[tokio::test]
async fn mails_to_a_customer_are_few_within_each_window() {
    let app = with_customer().await;
    let [first, rest @ ..] = MAIL_WINDOWS;
    for _ in 0..first.mails {
        assert_eq!(app.demo().send(EMAIL).await.status, 200);
        // Whatever becomes of the codes.
        app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await;
    }
    let refused = app.demo().send(EMAIL).await;
    assert_eq!((refused.status, refused.code()), (429, "too_many_mails"));
    refused.assert_headers();
    assert_waits(&refused, millis(first.length));
    assert_eq!(app.mails_to(EMAIL), first.mails);

    let sent = |count: u64, spacing: u64| {
        let moments = (1..=count).rev().map(|n| json!({ "N": (now() - n * spacing).to_string() }));
        json!({ "L": moments.collect::<Vec<Value>>() })
    };
    // As many as the window takes, the last of them just outside it.
    app.edit_passcode(|item| item["mails"] = sent(first.mails as u64, millis(first.length) + MINUTE));
    assert_eq!(app.demo().send(EMAIL).await.status, 200);
    for window in rest {
        app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await;
        let (most, spacing) = (window.mails as u64, millis(window.length) / (window.mails as u64 + 6));
        assert!(millis(first.length) < spacing * first.mails as u64, "the first window is not full");
        app.edit_passcode(|item| item["mails"] = sent(most, spacing));
        let refused = app.demo().send(EMAIL).await;
        assert_eq!(refused.status, 429);
        // The oldest has to leave.
        assert_waits(&refused, millis(window.length) - most * spacing);
    }
}

/// Deploys again with this `PepperGeneration`.
async fn rotate(app: TestApp, generation: u32) -> TestApp {
    let change = ("PepperGeneration".to_owned(), generation.to_string());
    app.restart_with(|options| options.parameter_overrides.extend([change])).await
}

#[tokio::test]
async fn a_code_of_another_pepper_is_dead_and_costs_the_customer_nothing() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rotated-{}", std::process::id()));
    let app = TestApp::start_with(|options| (options.data, options.database) = (Some(folder.clone()), None)).await;
    app.demo().create(EMAIL).await;
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    assert_refused(&app.demo().auth(EMAIL, &wrong(&passcode, 1)).await);

    let app = rotate(app, 2).await;
    for guess in [&passcode, &wrong(&passcode, 1), &wrong(&passcode, 2)] {
        assert_refused(&app.demo().auth(EMAIL, guess).await);
    }
    app.edit_passcode(|item| {
        assert_eq!((&item["failures"]["N"], item["tried"]["BS"].as_array().unwrap().len()), (&json!("1"), 1), "{item}");
    });
    let sent = app.demo().send(EMAIL).await;
    assert_eq!((sent.status, sent.header("retry-after")), (200, ""), "no cooldown of a code that nobody can use");
    let next = app.mailed_passcode(EMAIL);
    assert_ne!(next, passcode);
    app.edit_passcode(|item| assert_eq!(item["failures"]["N"], "1", "a rotation forgives no failure"));
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    assert_eq!(app.demo().auth(EMAIL, &next).await.status, 200);
    drop(app);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_function_does_not_start_with_a_pepper_that_was_not_resolved() {
    let executables = executables().await.unwrap();
    let app = TestApp::start().await;
    let reference = "1:{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:Pepper:SecretString:pepper}}";
    for function in ["auth", "send-passcode"] {
        let output = Command::new(&executables[function])
            .env_clear()
            .envs(app.environment())
            .envs([("PEPPER", reference), ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")])
            .envs([("AWS_LAMBDA_FUNCTION_NAME", function), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_LOG_GROUP_NAME", "logs")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("PEPPER is an unresolved reference"), "{said}");
        assert!(!said.contains("secretsmanager"), "{said}");
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_counts_for_nothing_and_the_next_one_carries_the_same_code() {
    // The mailbox, as SES, refuses a sender that is not the one that the policy names.
    let from = ("MAIL_FROM".to_owned(), "someone@else.example".to_owned());
    let app = TestApp::start_with(|options| options.environment.extend([from])).await;
    app.demo().create(EMAIL).await;
    for _ in 0..MAIL_WINDOWS[0].mails + 2 {
        let failed = app.demo().send(EMAIL).await;
        failed.assert_error(500, "internal_error", "The passcode could not be mailed. Try again later.");
    }
    let mut nonces = Vec::new();
    app.edit_passcode(|item| {
        assert_eq!(item["mails"]["L"], json!([]), "{item}");
        assert!(item.get("lease_until").is_none() && item.get("mailed_at").is_none(), "{item}");
        nonces.push(item["nonce"].clone());
    });
    assert!(app.budgets().iter().all(|budget| budget["taken"]["N"] == "0"), "{:?}", app.budgets());
    app.demo().send(EMAIL).await;
    app.edit_passcode(|item| nonces.push(item["nonce"].clone()));
    assert_eq!(nonces[0], nonces[1]);
    assert_eq!(app.mails_to(EMAIL), 0);
}

#[tokio::test]
async fn a_lease_that_a_crash_left_behind_holds_back_until_it_ends() {
    let app = with_customer().await;
    app.demo().send(EMAIL).await;
    let now = now();
    app.edit_passcode(|item| {
        item.as_object_mut().unwrap().remove("mailed_at");
        item["lease_until"] = json!({ "N": (now + 5_000).to_string() });
    });
    let held = app.demo().send(EMAIL).await;
    assert_eq!((held.status, app.mails_to(EMAIL)), (200, 1));
    assert!((1..=5).contains(&held.header("retry-after").parse::<u64>().unwrap()));
    app.edit_passcode(|item| item["lease_until"] = json!({ "N": now.to_string() }));
    app.demo().send(EMAIL).await;
    assert_eq!(app.mails_to(EMAIL), 2);
}

/// What a send leaves that was overtaken by an erasure: the item is there, of somebody who is not.
#[tokio::test]
async fn an_erased_customers_passcode_is_not_their_successors() {
    let app = with_customer().await;
    let erased = app.demo().get("/customer").await.body[0]["cuid"].clone();
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    let tables = &app.tables;
    let left = app.passcodes().remove(0);
    app.command(json!({ "command": "erase_customer", "cuid": erased })).await;
    app.demo().create(EMAIL).await;
    tables.put("PasscodesTable", &left).unwrap();
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    app.demo().send(EMAIL).await;
    assert_eq!(app.mails_to(EMAIL), 2, "no cooldown of a code that is not theirs");
    assert_refused(&app.demo().auth(EMAIL, &passcode).await);
    assert_eq!(app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await.status, 200);
}

#[tokio::test]
async fn a_code_mailed_to_a_former_address_is_worth_nothing() {
    let app = with_customer().await;
    let cuid = app.demo().get("/customer").await.body[0]["cuid"].clone();
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    app.command(json!({ "command": "change_customer", "cuid": cuid, "email": "countess@example.com" })).await;
    app.demo().auth(EMAIL, &passcode).await.assert_error(404, "user_not_found", "User not found.");
    assert_refused(&app.demo().auth("countess@example.com", &passcode).await);
    app.command(json!({ "command": "erase_customer", "cuid": cuid })).await;
    assert!(app.passcodes().is_empty());
}
