//! The operator's commands as its table has them, and what is kept of who gave one.

use operator_commands::{COMMANDS, Command, Effect, Field};
use serde_json::{Map, Value, json};

use crate::support::TestApp;

const EMAIL: &str = "ada.lovelace@example.com";

/// The fields of a command that are no object's, and the objects.
fn outer(command: &Command) -> (Vec<&'static Field>, Vec<&'static str>) {
    let (inner, outer): (Vec<&Field>, Vec<&Field>) = command.fields().partition(|field| field.name.contains('.'));
    let mut objects: Vec<_> = inner.iter().filter_map(|field| field.name.split('.').next()).collect();
    objects.dedup();
    (outer, objects)
}

#[tokio::test]
async fn a_command_takes_the_fields_of_the_table_and_no_others() {
    let app = TestApp::start().await;
    for command in COMMANDS {
        // A field that is unknown keeps a command that needs nothing from being carried out.
        let refusal = app.operate(json!({ "command": command.name, "nonsense": 1 })).await.unwrap_err();
        let (fields, objects) = outer(command);
        let needed = fields.iter().filter(|field| field.required).map(|field| format!("{} is required. ", field.name));
        assert_eq!(refusal, needed.collect::<String>() + "nonsense is not a field of this command.", "{command:?}");

        let mut event = Map::from_iter([("command".to_owned(), command.name.into())]);
        event.extend(fields.iter().map(|field| (field.name.to_owned(), json!({}))));
        for object in &objects {
            let inner = command.fields().filter_map(|field| field.name.strip_prefix(object)?.strip_prefix('.'));
            event.insert((*object).to_owned(), inner.map(|name| (name.to_owned(), json!({}))).collect());
        }
        let refusal = app.operate(event.into()).await.unwrap_err();
        for field in command.fields() {
            assert!(refusal.contains(&format!("{} must ", field.name)), "{}: {refusal}", field.name);
        }
        assert!(!refusal.contains("is not a field"), "{refusal}");
    }
}

#[tokio::test]
async fn grants_are_told_in_one_order_however_they_were_given() {
    let app = TestApp::start().await;
    for grants in [["passcode", "nopasscode"], ["nopasscode", "passcode"]] {
        let made = app.command(json!({ "command": "create_app", "name": "Acme", "grants": grants })).await;
        let shown = app.command(json!({ "command": "show_app", "superkey": made["superkey"] })).await;
        assert_eq!([&made["grants"], &shown["grants"]], [&json!(["nopasscode", "passcode"]); 2]);
    }
    let listed = app.command(json!({ "command": "list_apps" })).await;
    for listed in listed["items"].as_array().unwrap() {
        assert_eq!(listed["grants"], json!(["nopasscode", "passcode"]));
    }
}

/// The audit lines of commands, the latest last, without what no two have alike.
fn accounts(app: &TestApp) -> Vec<Value> {
    let lines = app.system.logs.lines();
    let lines = lines.iter().filter(|line| line.function == "operator");
    let parsed = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let mut accounts: Vec<_> = parsed.filter(|line| line["target"] == "audit").collect();
    for account in &mut accounts {
        let account = account.as_object_mut().unwrap();
        assert!(account.remove("request_id").unwrap().as_str().unwrap().len() > 30);
        for name in ["timestamp", "level", "message", "target"] {
            account.remove(name);
        }
    }
    accounts
}

#[tokio::test]
async fn who_reads_a_person_and_what_was_changed_is_accounted_for() {
    let app = TestApp::start().await;
    let superkey = &app.demo.app.superkey;
    let cuid = app.demo().create(EMAIL).await.body["cuid"].clone();
    let before = accounts(&app).len();
    let found = app.command(json!({ "command": "find_customer", "superkey": superkey, "email": EMAIL })).await;
    let shown = app.command(json!({ "command": "show_customer", "cuid": cuid })).await;
    assert_eq!(found, shown);
    app.command(json!({ "command": "show_app", "superkey": superkey })).await;
    app.command(json!({ "command": "list_apps" })).await;
    app.command(json!({ "command": "change_customer", "cuid": cuid, "email": "moved@example.com", "zip": "" })).await;
    let brand = json!({ "name": "Acme", "colour": "#112233" });
    app.command(json!({ "command": "change_app", "superkey": superkey, "brand": brand, "grants": [] })).await;
    app.command(json!({ "command": "suspend_customer", "cuid": cuid })).await;
    let line = |event: &str, subject: &Value, changes: Option<&str>| {
        let mut line = json!({ "event": event, "subject": subject, "called_as": "operator" });
        if let Some(changes) = changes {
            line["changes"] = changes.into();
        }
        line
    };
    assert_eq!(
        accounts(&app)[before..],
        [
            line("find_customer", &cuid, None),
            line("show_customer", &cuid, None),
            line("change_customer", &cuid, Some("email,zip")),
            line("change_app", &json!(superkey), Some("grants,brand")),
            line("suspend_customer", &cuid, None),
        ]
    );
}

#[tokio::test]
async fn a_slip_is_a_warning_with_its_cause_and_without_what_was_typed() {
    let app = TestApp::start().await;
    let cuid = app.demo().create(EMAIL).await.body["cuid"].clone();
    let accounts_before = accounts(&app).len();
    let tables = app.tables.dump().unwrap();
    let typed = "not ada.lovelace";
    for (command, name, cause) in [
        (json!({ "command": EMAIL }), None, "Unknown command."),
        (
            json!({ "command": "show_customer", "cuid": typed, EMAIL: 1 }),
            Some("show_customer"),
            "cuid must be a cuid. A field is unknown.",
        ),
        (
            json!({ "command": "find_customer", "superkey": app.demo.app.superkey, "email": "nobody@example.com" }),
            Some("find_customer"),
            "No such customer.",
        ),
        (
            json!({ "command": "change_customer", "cuid": cuid }),
            Some("change_customer"),
            "Nothing to change: give a field of a customer.",
        ),
    ] {
        let seen = app.system.logs.lines().len();
        app.operate(command.clone()).await.unwrap_err();
        let lines = app.system.logs.lines();
        let lines: Vec<_> =
            lines[seen..].iter().map(|line| serde_json::from_str::<Value>(&line.text).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["level"], "WARN", "{lines:?}");
        assert_eq!(lines[0]["step"], "The command was refused.");
        assert_eq!(lines[0]["cause"], cause, "{command}");
        assert_eq!(lines[0]["command"].as_str(), name);
        assert!(!lines[0].to_string().contains("lovelace"), "{lines:?}");
    }
    assert_eq!(accounts(&app).len(), accounts_before, "nothing was done");
    assert_eq!(app.tables.dump().unwrap(), tables);
}

#[tokio::test]
async fn a_command_names_each_field_once() {
    let app = TestApp::start().await;
    let key = &app.demo.app.superkey;
    let tables = app.tables.dump().unwrap();
    for (event, told) in [
        (format!(r#"{{"command": "show_app", "superkey": "{key}", "command": "suspend_app"}}"#), "command"),
        (format!(r#"{{"command": "suspend_app", "superkey": "{key}", "superkey": "{key}"}}"#), "superkey"),
        (
            format!(r#"{{"command": "change_app", "superkey": "{key}", "brand": {{"name": "a", "name": "b"}}}}"#),
            "brand.name",
        ),
    ] {
        let refused = app.function("operator").body(event).send().await.unwrap().json::<Value>().await.unwrap();
        let told = format!("{told} must be given once.");
        assert_eq!(refused, json!({ "errorType": "InvalidCommand", "errorMessage": told }));
    }
    assert_eq!(app.tables.dump().unwrap(), tables, "nothing was done");
}

#[tokio::test]
async fn a_customer_is_found_by_the_address_on_record_in_one_app() {
    let app = TestApp::start().await;
    let other = app.command(json!({ "command": "create_app", "name": "Other" })).await["superkey"].clone();
    let other = other.as_str().unwrap();
    let created = app.demo().create("Ada@Example.com").await.body;
    let find = |superkey: &str, email: &str| {
        app.operate(json!({ "command": "find_customer", "superkey": superkey, "email": email }))
    };
    let demo = &app.demo.app.superkey;
    for email in ["Ada@Example.com", " ada@EXAMPLE.com "] {
        let found = find(demo, email).await.unwrap();
        assert_eq!((&found["cuid"], &found["email"]), (&created["cuid"], &json!("Ada@Example.com")));
    }
    assert_eq!(find(other, "ada@example.com").await, Err("No such customer.".to_owned()));
    assert_eq!(find("atomsk_0000000000000000000000", "ada@example.com").await, Err("No such App.".to_owned()));
    app.command(json!({ "command": "change_customer", "cuid": created["cuid"], "email": "new@example.com" })).await;
    assert_eq!(find(demo, "ada@example.com").await, Err("No such customer.".to_owned()));
    assert_eq!(find(demo, "new@example.com").await.unwrap()["cuid"], created["cuid"]);
    app.command(json!({ "command": "erase_customer", "cuid": created["cuid"] })).await;
    assert_eq!(find(demo, "new@example.com").await, Err("No such customer.".to_owned()));
}

#[test]
fn what_cannot_be_taken_back_is_marked_so() {
    let erases: Vec<_> = COMMANDS.iter().filter(|it| it.effect == Effect::Erases).map(|it| it.name).collect();
    assert_eq!(erases, ["erase_customer"]);
    let reads =
        |it: &&Command| it.name.starts_with("show_") || it.name.starts_with("list_") || it.name == "find_customer";
    assert!(COMMANDS.iter().all(|it| reads(&it) == (it.effect == Effect::Reads)));
}
