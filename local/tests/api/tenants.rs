//! A tenant for each App: made with it or later, named in each mail, stopped alone, and never in the way of a mail.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use local::{
    calls::Call,
    faults::Fault,
    mailbox::{Tenant, arn},
};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    support::{TestApp, client},
};

const EMAIL: &str = "ada@example.com";
const IDENTITY: &str = "identity/atom.example";
const SET: &str = "configuration-set/MailConfigurationSet";

/// The tenant of an App in SES.
fn tenant_of(app: &TestApp, superkey: &str) -> Option<Tenant> {
    app.system.backends.mailbox.account.tenant(&format!("local_{superkey}"))
}

/// Takes its tenant away from the App's record, and from SES.
fn forget_tenant(app: &TestApp, superkey: &str) {
    let mut record = app.record(superkey);
    record.as_object_mut().unwrap().remove("tenant");
    app.put_record(&record);
    assert!(app.system.backends.mailbox.account.delete_tenant(&format!("local_{superkey}")));
}

/// The calls of SES that a request made, with their statuses.
fn ses_calls(app: &TestApp, request_id: &str) -> Vec<(String, u16)> {
    let calls = app.system.backends.calls.of_request(request_id).into_iter();
    calls.filter(|call: &Call| call.service == "ses").map(|call| (call.action, call.status)).collect()
}

/// How many audit lines of this name were written.
pub fn events(app: &TestApp, name: &str) -> usize {
    let name = format!("\"event\":\"{name}\"");
    app.system.logs.lines().iter().filter(|line| line.text.contains(&name)).count()
}

async fn show(app: &TestApp, superkey: &str) -> Value {
    app.command(json!({ "command": "show_app", "superkey": superkey })).await
}

/// A new App, and its superkey.
async fn create(app: &TestApp) -> (Caller<'_>, String) {
    let made = app.command(json!({ "command": "create_app", "name": "New", "grants": ["passcode"] })).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (app.as_app(&text("superkey"), &text("supertoken")), text("superkey"))
}

#[tokio::test]
async fn an_app_is_made_with_a_tenant_that_its_mails_go_through() {
    let app = TestApp::start().await;
    let (new, superkey) = create(&app).await;
    let tenant = tenant_of(&app, &superkey).unwrap();
    assert_eq!(tenant.resources.into_iter().collect::<Vec<_>>(), [arn(SET), arn(IDENTITY)]);
    let name = format!("local_{superkey}");
    assert_eq!(show(&app, &superkey).await["tenant"], json!({ "name": name, "sending": "enabled" }));
    let test = app.command(json!({ "command": "create_app", "name": "CI", "test": true })).await;
    assert_eq!(test.get("tenant"), None, "it mails nothing");
    assert!(tenant_of(&app, test["superkey"].as_str().unwrap()).is_none());

    let named = Arc::new(Mutex::new(Vec::new()));
    let seen = named.clone();
    app.system.backends.faults.inject(move |attempt| {
        if attempt.action == "SendEmail" {
            seen.lock().unwrap().push(attempt.request["TenantName"].clone());
        }
        None
    });
    new.create(EMAIL).await;
    let sent = new.send(EMAIL).await;
    assert_eq!((sent.status, app.mails_to(EMAIL)), (200, 1));
    assert_eq!(*named.lock().unwrap(), [json!(name)]);
    assert_eq!(ses_calls(&app, &sent.request_id), [("SendEmail".to_owned(), 200)]);
    assert_eq!(events(&app, "tenant_lost"), 0);
}

#[tokio::test]
async fn a_tenant_that_is_lost_or_lacks_something_stops_no_mail_and_is_made_again() {
    let app = TestApp::start().await;
    let (superkey, account) = (&app.demo.app.superkey, &app.system.backends.mailbox.account);
    let name = format!("local_{superkey}");
    app.demo().create(EMAIL).await;
    assert!(account.delete_tenant(&name));
    let sent = app.demo().send(EMAIL).await;
    assert_eq!((sent.status, app.mails_to(EMAIL)), (200, 1), "one mail, and not two");
    let twice = |status| vec![("SendEmail".to_owned(), status), ("SendEmail".to_owned(), 200)];
    assert_eq!(ses_calls(&app, &sent.request_id), twice(404));
    assert_eq!(events(&app, "tenant_lost"), 1);
    assert_eq!(show(&app, superkey).await["tenant"], json!({ "name": name, "sending": "missing" }));

    assert_eq!(app.command(json!({ "command": "make_tenants" })).await["items"], json!([]), "the record names one");
    let remade = app.command(json!({ "command": "make_tenants", "superkey": superkey })).await;
    assert_eq!(remade["items"][0]["tenant"], json!({ "name": name }));
    assert_eq!(tenant_of(&app, superkey).unwrap().resources.len(), 2);
    assert!(account.delete_tenant(&name));

    // As after a deployment with another identity: the record says what the tenant holds.
    let mut record = app.record(superkey);
    record["tenant"]["M"]["identity"] = json!({ "S": arn("identity/former.example") });
    app.put_record(&record);
    let made = app.command(json!({ "command": "make_tenants" })).await;
    assert_eq!((made["items"].as_array().unwrap().len(), &made["more"]), (1, &json!(false)), "{made}");
    assert_eq!(made["items"][0]["superkey"], *superkey);
    assert_eq!(tenant_of(&app, superkey).unwrap().resources.len(), 2);
    let again = app.command(json!({ "command": "make_tenants" })).await;
    assert_eq!(again, json!({ "items": [], "more": false }));

    app.demo().create("max@example.com").await;
    let sent = app.demo().send("max@example.com").await;
    assert_eq!(ses_calls(&app, &sent.request_id), [("SendEmail".to_owned(), 200)]);
    assert_eq!(events(&app, "tenant_lost"), 1);
}

#[tokio::test]
async fn a_failure_leaves_an_app_that_mails_and_a_repeat_completes_its_tenant() {
    let app = TestApp::start().await;
    for action in ["CreateTenant", "CreateTenantResourceAssociation"] {
        app.system.backends.faults.inject(move |attempt| {
            (attempt.action == action).then(|| Fault::Answer(400, json!({ "__type": "BadRequestException" })))
        });
        let made = app.command(json!({ "command": "create_app", "name": "New", "grants": ["passcode"] })).await;
        let warning = "The App has no SES tenant yet. Its mails go out without one; give make_tenants.";
        assert_eq!((&made["warning"], made.get("tenant")), (&json!(warning), None), "{made}");
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let superkey = text("superkey");
        assert!(app.record(&superkey).get("tenant").is_none());
        let failed = app.operate(json!({ "command": "make_tenants" })).await.unwrap_err();
        assert_eq!(failed, "The command could not be carried out. Try again later.");
        let lines = app.system.logs.lines();
        let failures = lines.iter().filter(|line| line.text.contains("SES: BadRequestException"));
        assert!(failures.filter(|line| line.text.contains("\"level\":\"ERROR\"")).count() >= 2, "the alarm rings");

        let new = app.as_app(&superkey, &text("supertoken"));
        new.create(EMAIL).await;
        assert_eq!(new.send(EMAIL).await.status, 200, "it mails");
        app.system.backends.faults.clear();
        let made = app.command(json!({ "command": "make_tenants" })).await;
        assert_eq!(made["items"][0]["tenant"], json!({ "name": format!("local_{superkey}") }), "{made}");
        assert_eq!(tenant_of(&app, &superkey).unwrap().resources.len(), 2);
    }
}

#[tokio::test]
async fn a_command_that_is_cut_off_in_the_middle_goes_on_when_it_is_repeated() {
    let app = TestApp::start().await;
    let mut superkeys = vec![app.demo.app.superkey.clone()];
    for _ in 0..3 {
        superkeys.push(create(&app).await.1);
    }
    for superkey in &superkeys {
        forget_tenant(&app, superkey);
    }
    // A reply that is lost is repeated by the SDK, and finds what it has made.
    let once = AtomicUsize::new(0);
    app.system.backends.faults.inject(move |attempt| {
        let is_first = attempt.action == "CreateTenant" && once.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then_some(Fault::CutAfter)
    });
    let first = app.command(json!({ "command": "make_tenants", "limit": 1 })).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["more"]), (1, &json!(true)), "{first}");
    let made = AtomicUsize::new(0);
    app.system.backends.faults.inject(move |attempt| {
        let is_second = attempt.action == "CreateTenant" && made.fetch_add(1, Ordering::Relaxed) >= 1;
        is_second.then(|| Fault::Answer(400, json!({ "__type": "LimitExceededException" })))
    });
    let second = app.command(json!({ "command": "make_tenants" })).await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["more"]), (1, &json!(true)), "{second}");
    app.system.backends.faults.clear();
    let third = app.command(json!({ "command": "make_tenants" })).await;
    assert_eq!((third["items"].as_array().unwrap().len(), &third["more"]), (2, &json!(false)), "{third}");
    assert!(superkeys.iter().all(|superkey| tenant_of(&app, superkey).unwrap().resources.len() == 2));
    assert_eq!(events(&app, "make_tenants"), superkeys.len(), "a line for each App");
}

#[tokio::test]
async fn one_apps_mails_are_stopped_and_go_on_and_nobody_elses() {
    let app = TestApp::start().await;
    let (other, _) = create(&app).await;
    let superkey = &app.demo.app.superkey;
    let name = format!("local_{superkey}");
    for caller in [&app.demo(), &other] {
        caller.create(EMAIL).await;
    }
    let suspended = app.command(json!({ "command": "suspend_mail", "superkey": superkey })).await;
    assert_eq!(suspended["mail"], "suspended");
    assert_eq!(suspended["tenant"], json!({ "name": name, "sending": "disabled" }));
    assert_eq!(suspended["status"], "active");
    assert_eq!(show(&app, superkey).await, suspended);
    let refused = app.demo().send(EMAIL).await;
    refused.assert_error(401, "not_allowed", "User not allowed for API access.");
    assert!(ses_calls(&app, &refused.request_id).is_empty());
    assert!(app.passcodes().is_empty(), "nothing is made that is not mailed");
    assert_eq!(app.demo().get("/customer").await.status, 200, "all else goes on");
    assert_eq!((other.send(EMAIL).await.status, app.mails_to(EMAIL)), (200, 1));

    let resumed = app.command(json!({ "command": "resume_mail", "superkey": superkey })).await;
    assert_eq!((resumed.get("mail"), &resumed["tenant"]["sending"]), (None, &json!("enabled")));
    assert_eq!((app.demo().send(EMAIL).await.status, app.mails_to(EMAIL)), (200, 2));
    for command in ["suspend_mail", "resume_mail"] {
        let unknown = json!({ "command": command, "superkey": format!("atomsk_{}", "0".repeat(22)) });
        assert_eq!(app.operate(unknown).await.unwrap_err(), "No such App.");
    }
}

#[tokio::test]
async fn a_stop_that_ses_did_not_take_changes_nothing() {
    let app = TestApp::start().await;
    let superkey = &app.demo.app.superkey;
    for action in ["GetTenant", "UpdateReputationEntityCustomerManagedStatus"] {
        app.system.backends.faults.inject(move |attempt| {
            (attempt.action == action).then(|| Fault::Answer(400, json!({ "__type": "BadRequestException" })))
        });
        let before = app.record(superkey);
        app.operate(json!({ "command": "suspend_mail", "superkey": superkey })).await.unwrap_err();
        assert_eq!(app.record(superkey), before);
        assert_eq!(tenant_of(&app, superkey).unwrap().status, "ENABLED");
        app.system.backends.faults.clear();
    }
    // SES has, and the record has not: the App's mails are refused by SES, until the command is repeated.
    app.system.backends.faults.inject(|attempt| {
        (attempt.action == "TransactWriteItems").then(|| Fault::Answer(400, json!({ "__type": "ValidationException" })))
    });
    app.operate(json!({ "command": "suspend_mail", "superkey": superkey })).await.unwrap_err();
    app.system.backends.faults.clear();
    app.demo().create(EMAIL).await;
    let failed = app.demo().send(EMAIL).await;
    failed.assert_error(500, "internal_error", "The passcode could not be mailed. Try again later.");
    assert_eq!((app.mails_to(EMAIL), events(&app, "tenant_lost")), (0, 0), "a tenant that is paused is not passed by");
    app.command(json!({ "command": "suspend_mail", "superkey": superkey })).await;
    assert_eq!(app.demo().send(EMAIL).await.status, 401);
    // What SES says is not in the way of what the record says.
    app.system.backends.faults.inject(|attempt| (attempt.action == "GetTenant").then_some(Fault::CutBefore));
    assert_eq!(show(&app, superkey).await["tenant"]["sending"], "unknown");
}

#[tokio::test]
async fn without_tenants_no_call_of_them_is_made() {
    let app = TestApp::start().await;
    let name = format!("local_{}", app.demo.app.superkey);
    assert!(app.system.backends.mailbox.account.tenant(&name).is_some());
    let app = TestApp::start_with(|options| {
        options.parameter_overrides.insert("MailTenants".to_owned(), "false".to_owned());
    })
    .await;
    let (new, superkey) = create(&app).await;
    assert!(tenant_of(&app, &superkey).is_none());
    assert_eq!(show(&app, &superkey).await.get("tenant"), None);
    new.create(EMAIL).await;
    assert_eq!((new.send(EMAIL).await.status, app.mails_to(EMAIL)), (200, 1));
    let off = "Apps have no tenants here: MailTenants is false.";
    let sender = json!({ "command": "set_sender", "superkey": superkey, "from_address": "a@acme.example" });
    for command in [json!({ "command": "make_tenants" }), sender] {
        assert_eq!(app.operate(command).await.unwrap_err(), off);
    }
    let suspended = app.command(json!({ "command": "suspend_mail", "superkey": superkey })).await;
    assert_eq!(suspended["mail"], "suspended");
    assert_eq!(new.send(EMAIL).await.status, 401);
    let calls = app.system.backends.calls.all();
    let actions: Vec<_> = calls.iter().filter(|call| call.service == "ses").map(|call| &*call.action).collect();
    assert_eq!(actions, ["SendEmail"]);
    // A record that was written while there were tenants names one, which is not used.
    let mut record = app.record(&app.demo.app.superkey);
    let of = |text: &str| json!({ "S": text });
    record["tenant"] = json!({ "M": { "name": of("gone"), "identity": of("i"), "configuration_set": of("c") } });
    app.put_record(&record);
    app.demo().create("max@example.com").await;
    let sent = app.demo().send("max@example.com").await;
    assert_eq!(ses_calls(&app, &sent.request_id), [("SendEmail".to_owned(), 200)]);
}

#[tokio::test]
async fn tenants_outlive_the_system_where_its_records_do() {
    let folder = tempfile::tempdir().unwrap();
    let app =
        TestApp::start_with(|options| (options.data, options.database) = (Some(folder.path().to_owned()), None)).await;
    let superkey = app.demo.app.superkey.clone();
    let tenant = tenant_of(&app, &superkey).unwrap();
    let app = app.restart().await;
    assert_eq!(app.demo.app.superkey, superkey);
    assert_eq!(tenant_of(&app, &superkey).unwrap().id, tenant.id);
    app.demo().create(EMAIL).await;
    let sent = app.demo().send(EMAIL).await;
    assert_eq!(ses_calls(&app, &sent.request_id), [("SendEmail".to_owned(), 200)]);
}

#[tokio::test]
async fn an_app_that_ses_pauses_rings_an_alarm_and_goes_on_when_the_operator_says_so() {
    let app = TestApp::start().await;
    let superkey = &app.demo.app.superkey;
    app.demo().create(EMAIL).await;
    let paused = |name: &str| format!("{}/tenants/{name}/paused", app.system.backends.mail);
    assert_eq!(client().put(paused("nobody")).send().await.unwrap().status(), 404);
    let response = client().put(paused(&format!("local_{superkey}"))).send().await.unwrap();
    assert_eq!(response.status(), 204);
    for _ in 0..400 {
        if events(&app, "tenant_paused") == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let lines = app.system.logs.lines();
    let line = lines.iter().find(|line| line.text.contains("tenant_paused")).unwrap();
    let line: Value = serde_json::from_str(&line.text).unwrap();
    assert_eq!((&line["target"], &line["app"]), (&json!("audit"), &json!(superkey)));
    assert_eq!(show(&app, superkey).await["tenant"]["sending"], "disabled");
    let failed = app.demo().send(EMAIL).await;
    failed.assert_error(500, "internal_error", "The passcode could not be mailed. Try again later.");
    assert_eq!(app.mails_to(EMAIL), 0);
    app.command(json!({ "command": "resume_mail", "superkey": superkey })).await;
    assert_eq!((app.demo().send(EMAIL).await.status, app.mails_to(EMAIL)), (200, 1));
    for command in ["suspend_mail", "resume_mail"] {
        app.command(json!({ "command": command, "superkey": superkey })).await;
    }
    assert_eq!(events(&app, "tenant_paused"), 1, "what the operator does is no alarm");
}
