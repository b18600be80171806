//! Addresses that mail does not reach: what SES says of them, what is told of it, and the way back.

use std::time::Duration;

use local::faults::Fault;
use serde_json::{Value, json};
use shared::passcode::limits::{MAIL_WINDOWS, UNDELIVERABLE_FOR};

use crate::{
    caller::{Answer, age},
    support::TestApp,
};

const MESSAGE: &str = "Mail does not reach this customer's address.";

#[track_caller]
fn assert_undeliverable(answer: &Answer) {
    answer.assert_error(422, "mail_undeliverable", MESSAGE);
}

/// Waits until the customer's record says this of mails: events take their time.
async fn until_mail_is(app: &TestApp, cuid: &str, status: &str) -> Value {
    for _ in 0..400 {
        let record = app.demo().show(cuid).await.body;
        if record["mail"]["status"] == status {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the record never says {status}")
}

fn mails(app: &TestApp) -> usize {
    app.mails(None).len()
}

/// An event as SES sends it, of a mail to this customer's address.
fn event(app: &TestApp, cuid: &str, address: &str, at: &str) -> Value {
    let hash = shared::email::EmailAddress::parse(address).unwrap().lookup_hash();
    let tags = json!({ "app": [app.demo.app.superkey], "cuid": [cuid], "address": [hash] });
    json!({ "source": "aws.ses", "detail": {
        "eventType": "Bounce", "mail": { "timestamp": "2026-01-01T00:00:00.000Z", "tags": tags },
        "bounce": { "bounceType": "Permanent", "bounceSubType": "General", "timestamp": at },
    } })
}

/// Lets the cooldown and the windows pass.
fn let_time_pass(app: &TestApp) {
    app.edit_passcode(|item| {
        age(item, &["mailed_at"], app.cooldown());
        item["mails"] = json!({ "L": [] });
    });
}

#[tokio::test]
async fn a_mail_that_bounced_holds_the_next_ones_back_until_the_operator_allows_them() {
    let app = TestApp::start().await;
    for (email, status) in [
        ("bounce+ada@simulator.amazonses.com", "bounced"),
        ("complaint+ada@simulator.amazonses.com", "complained"),
        ("suppressionlist+ada@simulator.amazonses.com", "suppressed"),
    ] {
        let cuid = app.demo().create(email).await.body["cuid"].as_str().unwrap().to_owned();
        assert_eq!(app.demo().send(email).await.status, 200);
        let record = until_mail_is(&app, &cuid, status).await;
        assert_eq!(record["mail"]["at"].as_str().unwrap().len(), "2026-11-24T09:30:00.000Z".len(), "{record}");
        assert_eq!(app.demo().get("/customer").await.body[0]["mail"], record["mail"]);
        let before = mails(&app);
        assert_undeliverable(&app.demo().send(email).await);
        assert_undeliverable(&app.demo().send(email).await);
        assert_eq!(mails(&app), before);

        let allowed = app.command(json!({ "command": "allow_mail", "cuid": cuid })).await;
        assert!(allowed.get("mail").is_none(), "{allowed}");
        assert_eq!(app.demo().show(&cuid).await.body.get("mail"), None);
        assert_eq!(app.demo().send(email).await.status, 200, "the very next one, which the cooldown may hold back");
        app.command(json!({ "command": "erase_customer", "cuid": cuid })).await;
    }
}

#[tokio::test]
async fn an_address_on_the_list_is_mailed_again_once_it_is_off_it() {
    let app = TestApp::start().await;
    let email = "ada@example.com";
    let outcomes = app.system.backends.mailbox.outcomes.clone();
    let cuid = app.demo().create(email).await.body["cuid"].as_str().unwrap().to_owned();
    outcomes.suppress("Ada@Example.com");
    assert_eq!(app.demo().send(email).await.status, 200);
    until_mail_is(&app, &cuid, "suppressed").await;
    assert_eq!(mails(&app), 0);
    assert_undeliverable(&app.demo().send(email).await);
    app.command(json!({ "command": "allow_mail", "cuid": cuid })).await;
    assert!(!outcomes.allow(email), "it is off the list");
    let_time_pass(&app);
    assert_eq!(app.demo().send(email).await.header("retry-after"), "");
    assert_eq!(app.demo().auth(email, &app.mailed_passcode(email)).await.status, 200);
    let unknown = json!({ "command": "allow_mail", "cuid": "0".repeat(22) });
    assert_eq!(app.operate(unknown).await.unwrap_err(), "No such customer.");
}

#[tokio::test]
async fn events_come_twice_out_of_order_late_and_for_others() {
    let app = TestApp::start().await;
    let email = "ada@example.com";
    let cuid = app.demo().create(email).await.body["cuid"].as_str().unwrap().to_owned();
    let tell = async |event: Value| app.invoke("mail-events", &event).await.unwrap();
    let mail = async || app.demo().show(&cuid).await.body["mail"].clone();
    let (earlier, later) = ("2026-02-01T00:00:00.000Z", "2026-02-02T00:00:00.500Z");

    for address in ["other@example.com", ""] {
        let mut foreign = event(&app, &cuid, email, later);
        foreign["detail"]["mail"]["tags"]["address"] = json!([address]);
        assert_eq!(tell(foreign).await, "mail_bounced");
    }
    let stranger = event(&app, &"0".repeat(22), email, later);
    tell(stranger).await;
    assert_eq!(mail().await, Value::Null);
    assert_eq!(app.tables.items("CustomersTable").unwrap().len(), 1, "nothing was made");

    for at in [later, earlier, later] {
        assert_eq!(tell(event(&app, &cuid, email, at)).await, "mail_bounced");
        assert_eq!(mail().await, json!({ "status": "bounced", "at": later }));
    }
    let mut soft = event(&app, &cuid, email, "2026-02-03T00:00:00.000Z");
    soft["detail"]["bounce"]["bounceType"] = "Transient".into();
    assert_eq!(tell(soft).await, "mail_bounced_for_now");
    assert_eq!(mail().await["at"], later);
    // Longer ago than a day: another mail is tried, and what comes back says that mails arrive.
    assert!(UNDELIVERABLE_FOR < Duration::from_hours(48));
    assert_eq!(app.demo().send(email).await.status, 200);
    assert_eq!(app.demo().auth(email, &app.mailed_passcode(email)).await.status, 200);
    assert_eq!(mail().await, Value::Null);
    tell(event(&app, &cuid, email, later)).await;
    assert_eq!(mail().await, Value::Null, "older than the proof");

    // A moment that is still to come counts as now.
    tell(event(&app, &cuid, email, "2199-01-01T00:00:00.000Z")).await;
    assert_undeliverable(&app.demo().send(email).await);
    let moved = json!({ "command": "change_customer", "cuid": cuid, "email": "countess@example.com" });
    assert!(app.command(moved).await.get("mail").is_none());
    tell(event(&app, &cuid, email, "2199-01-01T00:00:00.000Z")).await;
    assert_eq!(app.demo().send("countess@example.com").await.status, 200, "another address");
}

#[tokio::test]
async fn a_refusal_for_the_address_itself_counts_and_cools_down() {
    let app = TestApp::start().await;
    let email = "ada@example.com";
    app.demo().create(email).await;
    let refuse = |message: &'static str| {
        app.system.backends.faults.inject(move |attempt| {
            let body = json!({ "__type": "BadRequestException", "message": message });
            (attempt.action == "SendEmail").then_some(Fault::Answer(400, body))
        });
    };
    refuse("Domain contains illegal character");
    let most = MAIL_WINDOWS[0].mails;
    for n in 1..=most {
        assert_undeliverable(&app.demo().send(email).await);
        app.edit_passcode(|item| assert_eq!(item["mails"]["L"].as_array().unwrap().len(), n, "{item}"));
        assert_undeliverable(&app.demo().send(email).await);
        app.edit_passcode(|item| {
            assert_eq!(item["mails"]["L"].as_array().unwrap().len(), n, "{item}");
            age(item, &["mailed_at"], app.cooldown());
        });
    }
    assert_eq!(app.demo().send(email).await.status, 429);
    let all = most.to_string();
    assert!(app.budgets().iter().all(|budget| budget["taken"]["N"] == *all), "{:?}", app.budgets());
    let lines = app.system.logs.lines();
    let events = |name: &str| lines.iter().filter(|line| line.text.contains(&format!("\"{name}\""))).count();
    assert!(events("mail_undeliverable") >= most && events("mail_failed") == 0);

    let_time_pass(&app);
    refuse("Invalid tag");
    let failed = app.demo().send(email).await;
    failed.assert_error(500, "internal_error", "The passcode could not be mailed. Try again later.");
    app.system.backends.faults.clear();
    assert_eq!(app.demo().send(email).await.status, 200);
    assert_eq!(mails(&app), 1);
}
