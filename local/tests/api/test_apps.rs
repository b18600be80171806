//! Test Apps: they mail nothing, and tell the passcode in the reply. All else is as for any App.

use serde_json::json;
use shared::{
    app::NOT_RESERVED,
    passcode::limits::{DIGITS, MAIL_WINDOWS},
};

use crate::{caller::Caller, support::TestApp};

const EMAIL: &str = "ada@example.com";

async fn test_app(app: &TestApp) -> (Caller<'_>, String) {
    let made = json!({ "command": "create_app", "name": "CI", "grants": ["passcode"], "test": true });
    let made = app.command(made).await;
    assert_eq!(made["test"], true);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (app.as_app(&text("superkey"), &text("supertoken")), text("superkey"))
}

#[tokio::test]
async fn a_test_app_is_told_the_passcode_and_mails_nothing() {
    let app = TestApp::start().await;
    let (ci, superkey) = test_app(&app).await;
    assert_eq!(ci.create(EMAIL).await.status, 201);
    let sent = ci.send(EMAIL).await;
    let passcode = sent.body["passcode"].as_str().unwrap().to_owned();
    let body = json!({ "message": format!("We have emailed the passcode to: {EMAIL}"), "passcode": passcode });
    assert_eq!((sent.status, &sent.body), (200, &body));
    assert!(passcode.len() == DIGITS && passcode.bytes().all(|byte| byte.is_ascii_digit()), "{passcode}");
    let held = ci.send(EMAIL).await;
    assert_eq!((held.status, &held.body), (200, &body));
    assert!(!held.header("retry-after").is_empty());
    assert!(app.mails(None).is_empty());
    assert_eq!(app.budgets().len(), 2, "they count as mails");
    assert!(app.system.logs.lines().iter().all(|line| !line.text.contains(&passcode)));
    assert_eq!(ci.auth(EMAIL, &passcode).await.status, 200);
    for _ in 1..MAIL_WINDOWS[0].mails {
        let sent = ci.send(EMAIL).await;
        assert_eq!(ci.auth(EMAIL, sent.body["passcode"].as_str().unwrap()).await.status, 200);
    }
    assert_eq!(ci.send(EMAIL).await.code(), "too_many_mails");
    let refusal = app.operate(json!({ "command": "change_app", "superkey": superkey, "test": false })).await;
    assert_eq!(refusal.unwrap_err(), "test is not a field of this command.");
    // Any other App's replies tell none.
    app.demo().create(EMAIL).await;
    assert_eq!(app.demo().send(EMAIL).await.body.get("passcode"), None);
}

#[tokio::test]
async fn its_customers_have_addresses_that_no_mail_reaches() {
    let app = TestApp::start().await;
    let (ci, _) = test_app(&app).await;
    for email in ["ada@atom.com", "ada@notexample.com", "ada@example.de"] {
        let refused = ci.create(email).await;
        refused.assert_invalid(&["email"]);
        assert_eq!(refused.body["errors"][0]["message"], NOT_RESERVED);
        assert_eq!(app.demo().create(email).await.status, 201, "any other App's may");
    }
    ci.post("/customer", &json!({ "email": "ada@atom.com" })).await.assert_invalid(&["company", "email"]);
    assert_eq!(ci.get("/customer").await.body, json!([]));
    let mut cuid = json!(null);
    for email in
        ["ada@example.com", "ada@a.example.net", "ada@example.org", "ada@a.example", "ada@a.test", "ada@b.invalid"]
    {
        let created = ci.create(email).await;
        assert_eq!(created.status, 201, "{email}");
        cuid = created.body["cuid"].clone();
    }
    let change = |email: &str| json!({ "command": "change_customer", "cuid": cuid, "email": email });
    let refusal = app.operate(change("ada@atom.com")).await.unwrap_err();
    assert!(refusal.starts_with("email must be under example.com"), "{refusal}");
    assert_eq!(app.command(change("countess@a.test")).await["email"], "countess@a.test");
}

#[tokio::test]
async fn reset_limits_lets_windows_failures_and_pause_begin_anew_and_keeps_the_passcode() {
    let app = TestApp::start().await;
    let cuid = app.demo().create(EMAIL).await.body["cuid"].clone();
    let reset = || app.command(json!({ "command": "reset_limits", "cuid": cuid }));
    assert_eq!(reset().await["cuid"], cuid, "nothing to reset is no fault");
    assert!(app.passcodes().is_empty());
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    app.edit_passcode(|item| {
        item["mails"] = json!({ "L": (0..30).map(|n| json!({ "N": (now - n).to_string() })).collect::<Vec<_>>() });
        item["failures"] = json!({ "N": "25" });
        item["last_guess_at"] = json!({ "N": now.to_string() });
    });
    assert_eq!(app.demo().send(EMAIL).await.status, 429);
    assert_eq!(app.demo().auth(EMAIL, &passcode).await.status, 401);
    reset().await;
    assert_eq!(app.demo().send(EMAIL).await.status, 200, "held back by the cooldown, as before");
    assert_eq!(app.demo().auth(EMAIL, &passcode).await.status, 200);
    assert_eq!(app.demo().send(EMAIL).await.status, 200);
    app.edit_passcode(|item| assert_eq!(item["mails"]["L"].as_array().unwrap().len(), 1, "{item}"));
}
