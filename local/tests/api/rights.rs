//! The operator's three names: what each allows, and that what it refuses does not happen.

use serde_json::{Value, json};

use crate::support::TestApp;

/// Gives a command under an alias, as `operate --function operator:ALIAS` does in the cloud.
async fn give(app: &TestApp, alias: &str, command: Value) -> Value {
    let request = app.function(&format!("operator:{alias}"));
    request.json(&command).send().await.unwrap().json().await.unwrap()
}

fn refusal(command: &str, alias: &str) -> Value {
    let message = format!("{command} is not allowed under the alias {alias}.");
    json!({ "errorType": "NotAllowed", "errorMessage": message })
}

#[tokio::test]
async fn an_operator_who_may_look_changes_nothing() {
    let app = TestApp::start().await;
    let superkey = app.demo.app.superkey.clone();
    let shown = give(&app, "look", json!({ "command": "show_app", "superkey": superkey })).await;
    assert_eq!(shown["superkey"], superkey);
    for command in ["create_app", "suspend_app", "rotate_token", "erase_customer"] {
        let answer = give(&app, "look", json!({ "command": command, "superkey": superkey })).await;
        assert_eq!(answer, refusal(command, "look"));
    }
    let unknown = give(&app, "look", json!({ "command": "drop_tables", "superkey": superkey })).await;
    assert_eq!(unknown, json!({ "errorType": "InvalidCommand", "errorMessage": "Unknown command." }));
    let after = give(&app, "look", json!({ "command": "show_app", "superkey": superkey })).await;
    assert_eq!(after, shown);
}

#[tokio::test]
async fn an_operator_who_may_change_erases_nobody() {
    let app = TestApp::start().await;
    let created = app.demo().create("ada@example.com").await;
    let cuid = &created.body["cuid"];
    let suspended = give(&app, "change", json!({ "command": "suspend_customer", "cuid": cuid })).await;
    assert_eq!(suspended["status"], "suspended");
    let erase = json!({ "command": "erase_customer", "cuid": cuid });
    assert_eq!(give(&app, "change", erase.clone()).await, refusal("erase_customer", "change"));
    assert_eq!(give(&app, "look", json!({ "command": "show_customer", "cuid": cuid })).await, suspended);

    assert_eq!(&give(&app, "erase", erase).await["cuid"], cuid);
    let gone = give(&app, "look", json!({ "command": "show_customer", "cuid": cuid })).await;
    assert_eq!(gone, json!({ "errorType": "NotFound", "errorMessage": "No such customer." }));
}

#[tokio::test]
async fn a_name_that_the_template_does_not_make_is_no_function() {
    let app = TestApp::start().await;
    let answer = give(&app, "root", json!({ "command": "list_apps" })).await;
    assert_eq!(answer, json!({ "Type": "User", "Message": "Function not found: operator:root" }));
}
