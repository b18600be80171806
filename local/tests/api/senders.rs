//! The partner's own sender: made, verified, used, lost and given up.

use local::{faults::Fault, mailbox::arn};
use serde_json::{Value, json};

use crate::{
    support::{TestApp, client},
    tenants::events,
};

const EMAIL: &str = "ada@example.com";
const ADDRESS: &str = "passcodes@acme.example";
const DEPLOYMENTS: &str = "no-reply@atom.example";

async fn set(app: &TestApp, address: Value) -> Result<Value, String> {
    let superkey = &app.demo.app.superkey;
    app.operate(json!({ "command": "set_sender", "superkey": superkey, "from_address": address })).await
}

async fn show(app: &TestApp) -> Value {
    app.command(json!({ "command": "show_app", "superkey": app.demo.app.superkey })).await
}

/// Says what DNS says of the domain, as somebody at a terminal does.
async fn verify(app: &TestApp, is_verified: bool) {
    let url = format!("{}/identities/acme.example/verified", app.system.backends.mail);
    let request = if is_verified { client().put(url) } else { client().delete(url) };
    assert_eq!(request.send().await.unwrap().status(), 204);
}

/// Sends a passcode to a new customer, and tells whom it came from.
async fn sender_of_next_mail(app: &TestApp, email: &str) -> String {
    app.demo().create(email).await;
    assert_eq!(app.demo().send(email).await.status, 200);
    assert_eq!(app.mails_to(email), 1, "one mail, and not two");
    let from = app.mails(Some(email))[0].from.clone();
    from.rsplit_once('<').unwrap().1.trim_end_matches('>').to_owned()
}

#[tokio::test]
async fn a_sender_is_used_once_its_domain_is_verified_and_as_long_as_it_is() {
    let app = TestApp::start().await;
    let pending = set(&app, json!("Passcodes@ACME.example")).await.unwrap();
    let identity = app.system.backends.mailbox.account.identity("acme.example").unwrap();
    let key = |token: &String| json!({ "type": "CNAME", "name": format!("{token}._domainkey.acme.example"), "value": format!("{token}.dkim.amazonses.com") });
    let mut records: Vec<_> = identity.tokens.iter().map(key).collect();
    for (kind, name, value) in [
        ("MX", "bounce.acme.example", "10 feedback-smtp.eu-west-1.amazonses.com"),
        ("TXT", "bounce.acme.example", "\"v=spf1 include:amazonses.com -all\""),
        ("TXT", "_dmarc.acme.example", "\"v=DMARC1; p=none\""),
    ] {
        records.push(json!({ "type": kind, "name": name, "value": value }));
    }
    let expected = |status: &str, ses: &str| {
        json!({
            "superkey": app.demo.app.superkey, "from_address": "Passcodes@acme.example", "status": status,
            "verification": ses, "dkim": ses, "mail_from": ses, "records": records,
        })
    };
    assert_eq!(pending, expected("pending", "pending"));
    assert_eq!((identity.mail_from.as_deref(), identity.is_forwarding), (Some("bounce.acme.example"), false));
    assert_eq!(identity.tags["AtomCustomers"], "local");
    assert_eq!(sender_of_next_mail(&app, "one@example.com").await, DEPLOYMENTS, "not before it is verified");

    verify(&app, true).await;
    assert_eq!(sender_of_next_mail(&app, "two@example.com").await, DEPLOYMENTS, "nobody has asked SES yet");
    assert_eq!(set(&app, json!(ADDRESS)).await.unwrap()["status"], "active");
    assert_eq!(sender_of_next_mail(&app, "three@example.com").await, ADDRESS);
    let shown = show(&app).await;
    let sender = json!({
        "from_address": ADDRESS, "status": "active", "verification": "success", "dkim": "success", "mail_from": "success",
    });
    assert_eq!(shown["sender"], sender);
    assert_eq!(events(&app, "sender_lost"), 0);

    verify(&app, false).await;
    assert_eq!(sender_of_next_mail(&app, "four@example.com").await, DEPLOYMENTS, "a sender that is lost stops no mail");
    assert_eq!(events(&app, "sender_lost"), 1, "and rings the alarm");
    assert_eq!(show(&app).await["sender"]["verification"], "pending");
    assert_eq!(set(&app, json!(ADDRESS)).await.unwrap()["status"], "pending");
    assert_eq!(sender_of_next_mail(&app, "five@example.com").await, DEPLOYMENTS);
    assert_eq!(events(&app, "sender_lost"), 1, "it is not tried any more");

    verify(&app, true).await;
    set(&app, json!(ADDRESS)).await.unwrap();
    let none = set(&app, Value::Null).await.unwrap();
    assert_eq!(none, json!({ "superkey": app.demo.app.superkey, "from_address": null }));
    assert_eq!(show(&app).await.get("sender"), None);
    assert_eq!(sender_of_next_mail(&app, "six@example.com").await, DEPLOYMENTS);
}

#[tokio::test]
async fn a_mail_whose_fate_is_unknown_is_not_sent_from_elsewhere() {
    let app = TestApp::start().await;
    set(&app, json!(ADDRESS)).await.unwrap();
    verify(&app, true).await;
    set(&app, json!(ADDRESS)).await.unwrap();
    app.demo().create(EMAIL).await;
    for fault in [Fault::CutAfter, Fault::Answer(500, json!({ "__type": "MessageRejected" }))] {
        let (mails, reached) = (app.mails_to(EMAIL), matches!(fault, Fault::CutAfter));
        app.system.backends.faults.inject(move |attempt| (attempt.action == "SendEmail").then(|| fault.clone()));
        let failed = app.demo().send(EMAIL).await;
        failed.assert_error(500, "internal_error", "The passcode could not be mailed. Try again later.");
        let calls = app.system.backends.calls.of_request(&failed.request_id);
        assert_eq!(calls.iter().filter(|call| call.service == "ses").count(), 1);
        assert_eq!(app.mails_to(EMAIL), mails + usize::from(reached));
        app.edit_passcode(|item| {
            crate::caller::age(item, &["lease_until", "mailed_at"], 3_600_000);
        });
    }
    assert_eq!(events(&app, "sender_lost"), 0);
}

#[tokio::test]
async fn a_failure_leaves_no_sender_and_a_repeat_completes_it() {
    let app = TestApp::start().await;
    for action in [
        "CreateEmailIdentity",
        "GetEmailIdentity",
        "PutEmailIdentityMailFromAttributes",
        "PutEmailIdentityFeedbackAttributes",
        "CreateTenantResourceAssociation",
        "TransactWriteItems",
    ] {
        app.system.backends.faults.inject(move |attempt| {
            (attempt.action == action).then(|| Fault::Answer(400, json!({ "__type": "BadRequestException" })))
        });
        let failed = set(&app, json!(ADDRESS)).await.unwrap_err();
        assert_eq!(failed, "The command could not be carried out. Try again later.", "{action}");
        app.system.backends.faults.clear();
        assert_eq!(show(&app).await.get("sender"), None, "{action}");
    }
    assert_eq!(sender_of_next_mail(&app, EMAIL).await, DEPLOYMENTS);
    set(&app, json!(ADDRESS)).await.unwrap();
    verify(&app, true).await;
    set(&app, json!(ADDRESS)).await.unwrap();
    assert_eq!(sender_of_next_mail(&app, "max@example.com").await, ADDRESS);
    let identity = app.system.backends.mailbox.account.identity("acme.example").unwrap();
    assert_eq!((identity.mail_from.as_deref(), identity.is_forwarding), (Some("bounce.acme.example"), false));
}

#[tokio::test]
async fn a_domain_that_another_deployment_has_is_refused() {
    let app = TestApp::start().await;
    let account = app.system.backends.mailbox.account.clone();
    let identities = format!("{}/v2/email/identities", app.system.backends.mail);
    let theirs = json!({ "EmailIdentity": "theirs.example", "Tags": [{ "Key": "AtomCustomers", "Value": "prod" }] });
    assert_eq!(client().post(&identities).json(&theirs).send().await.unwrap().status(), 200);
    assert_eq!(
        client().post(&identities).json(&json!({ "EmailIdentity": "untagged.example" })).send().await.unwrap().status(),
        200
    );
    let before = app.tables.items("AppsTable").unwrap();
    for domain in ["atom.example", "theirs.example", "untagged.example"] {
        assert!(account.verify(domain, true));
        let refused = set(&app, json!(format!("a@{domain}"))).await.unwrap_err();
        let told = "is an SES identity that this deployment did not make, or may not use. Give it the tag AtomCustomers=local to \
                    use it.";
        assert_eq!(refused, format!("{domain} {told}"));
        assert_eq!(account.identity(domain).unwrap().mail_from, None, "nothing was changed");
    }
    assert_eq!(app.tables.items("AppsTable").unwrap(), before);
    let tenant = account.tenant(&format!("local_{}", app.demo.app.superkey)).unwrap();
    assert!(!tenant.resources.contains(&arn("identity/theirs.example")), "{tenant:?}");
    for (address, told) in [
        (json!("acme.example"), "from_address must be an e-mail address."),
        (json!(7), "from_address must be a string."),
    ] {
        assert_eq!(set(&app, address).await.unwrap_err(), told);
    }
}

#[tokio::test]
async fn a_sender_of_another_apps_tenant_is_not_taken() {
    let app = TestApp::start().await;
    set(&app, json!(ADDRESS)).await.unwrap();
    verify(&app, true).await;
    set(&app, json!(ADDRESS)).await.unwrap();
    let other = app.another_app().await;
    // As somebody may write it into the record past the operator's function.
    let mut record = app.record(&other.credentials[0].1);
    record["sender"] = json!({ "M": { "address": { "S": ADDRESS }, "verified": { "BOOL": true } } });
    app.put_record(&record);
    other.create(EMAIL).await;
    assert_eq!((other.send(EMAIL).await.status, app.mails_to(EMAIL)), (200, 1));
    let from = &app.mails(Some(EMAIL))[0].from;
    assert!(from.ends_with("<no-reply@atom.example>"), "{from}");
    assert_eq!((events(&app, "sender_lost"), events(&app, "tenant_lost")), (1, 0));
}
