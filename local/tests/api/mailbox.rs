//! The SES endpoint and the mailbox behind it.

use std::time::Duration;

use local::system::System;
use reqwest::Response;
use serde_json::{Value, json};
use shared::passcode::limits::DIGITS;

use crate::support::{client, probes};

async fn send(system: &System, to: &str, subject: &str) -> Response {
    let body = json!({ "Text": { "Data": "text" }, "Html": { "Data": "<p>html</p>" } });
    let mail = json!({
        "FromEmailAddress": "no-reply@atom.example",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": { "Subject": { "Data": subject }, "Body": body } },
    });
    client()
        .post(format!("{}/v2/email/outbound-emails", system.backends.mail))
        .header("authorization", "AWS4-HMAC-SHA256 Credential=probe.1/20260101/eu-west-1/ses/aws4_request")
        .json(&mail)
        .send()
        .await
        .unwrap()
}

async fn messages(system: &System, query: &str) -> Value {
    client().get(format!("{}/messages{query}", system.backends.mail)).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn mails_are_listed_newest_first_for_their_recipient() {
    let system = probes(|_| {}).await;
    let first = send(&system, "ada+1@example.com", "first").await.json::<Value>().await.unwrap();
    send(&system, "ada+1@example.com", "second").await;
    send(&system, "eve@example.com", "other").await;
    for query in ["?to=ada%2B1@example.com", "?to=ada+1@example.com", "?to=ADA%2b1@EXAMPLE.com"] {
        let mails = messages(&system, query).await;
        assert_eq!(mails.as_array().unwrap().len(), 2, "{query}");
        assert_eq!(mails[0]["subject"], "second");
        let mut mail = mails[1].clone();
        assert!(mail["sent_at"].take().as_str().unwrap().ends_with('Z'));
        let expected = json!({
            "id": first["MessageId"], "from": "no-reply@atom.example", "to": "ada+1@example.com",
            "subject": "first", "text": "text", "html": "<p>html</p>", "sent_at": null,
        });
        assert_eq!(mail, expected);
    }
    assert_eq!(messages(&system, "").await.as_array().unwrap().len(), 3);
    send(&system, "ada@xn--exmple-cua.example", "typed otherwise").await;
    assert_eq!(messages(&system, "?to=ada@exämple.example").await[0]["subject"], "typed otherwise");
    let calls = system.backends.calls.all();
    assert_eq!(calls.len(), 4);
    assert_eq!(calls[0].function.as_deref(), Some("probe"));
}

#[tokio::test]
async fn a_refused_mail_is_not_in_the_mailbox() {
    let system = probes(|_| {}).await;
    let refused = send(&system, "ädä@example.com", "x").await;
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()["x-amzn-errortype"], "BadRequestException");
    assert_eq!(messages(&system, "").await, json!([]));
}

#[tokio::test]
async fn mails_can_be_read_and_deleted_and_the_page_is_told() {
    let system = probes(|_| {}).await;
    let mail = &system.backends.mail;
    let mut events = client().get(format!("{mail}/events")).send().await.unwrap();
    let id = send(&system, "ada@example.com", "x").await.json::<Value>().await.unwrap()["MessageId"].clone();
    let id = id.as_str().unwrap();
    let one = format!("{mail}/messages/{id}");
    assert_eq!(client().get(&one).send().await.unwrap().json::<Value>().await.unwrap()["subject"], "x");
    assert_eq!(client().delete(&one).send().await.unwrap().status(), 204);
    assert_eq!(client().delete(&one).send().await.unwrap().status(), 404);
    assert_eq!(client().get(&one).send().await.unwrap().status(), 404);
    assert_eq!(client().delete(format!("{mail}/messages")).send().await.unwrap().status(), 204);
    let mut told = String::new();
    while !told.contains("cleared") {
        let chunk = tokio::time::timeout(Duration::from_secs(5), events.chunk()).await.unwrap().unwrap();
        told.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    let told = told.split_terminator("\n\n").map(|event| event.strip_prefix("event: message\ndata: ").unwrap());
    let mut told: Vec<Value> = told.map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(told[0]["mail"]["sent_at"].take().is_string());
    let row = json!({
        "id": id, "from": "no-reply@atom.example", "to": "ada@example.com", "subject": "x", "code": "", "sent_at": null,
    });
    let expected =
        [json!({ "type": "added", "mail": row }), json!({ "type": "deleted", "id": id }), json!({ "type": "cleared" })];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_row_tells_the_code_and_the_source_every_header() {
    let system = probes(|_| {}).await;
    let mail = &system.backends.mail;
    let (first, second) = "1234567890"[..DIGITS].split_at(DIGITS / 2);
    let code = format!("{first} {second}");
    let request = json!({
        "FromEmailAddress": "=?UTF-8?B?w4k=?= <no-reply@atom.example>",
        "Destination": { "ToAddresses": ["ada@example.com"] },
        "ReplyToAddresses": ["help@atom.example"],
        "Content": { "Simple": {
            "Subject": { "Data": "x" },
            "Body": { "Text": { "Data": format!("9{first} {second}9, {code}") } },
            "Headers": [{ "Name": "Auto-Submitted", "Value": "auto-generated" }],
        } },
    });
    let sent = client().post(format!("{mail}/v2/email/outbound-emails")).json(&request).send().await.unwrap();
    let id = sent.json::<Value>().await.unwrap()["MessageId"].as_str().unwrap().to_owned();
    let get = async |path: &str| client().get(format!("{mail}{path}")).send().await.unwrap();
    let rows: Value = get("/rows").await.json().await.unwrap();
    assert_eq!((rows[0]["code"].as_str(), &rows[0]["text"]), (Some(&*code), &Value::Null));
    let source = get(&format!("/messages/{id}/source")).await.text().await.unwrap();
    for line in [
        "From: =?UTF-8?B?w4k=?= <no-reply@atom.example>\r\n",
        "Reply-To: help@atom.example\r\n",
        "Auto-Submitted: auto-generated\r\n",
    ] {
        assert!(source.contains(line), "{line} is not in {source}");
    }
    assert_eq!(get("/messages/nobody/source").await.status(), 404);
}

#[tokio::test]
async fn the_page_runs_its_own_script_alone_and_a_mail_runs_none() {
    let system = probes(|_| {}).await;
    let mail = &system.backends.mail;
    let id = send(&system, "ada@example.com", "x").await.json::<Value>().await.unwrap()["MessageId"].clone();
    let policy = async |path: &str| {
        let response = client().get(format!("{mail}{path}")).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-content-type-options"]),
            (200, &"nosniff".parse().unwrap())
        );
        response.headers()["content-security-policy"].to_str().unwrap().to_owned()
    };
    for path in ["/", "/page.js", "/page.css"] {
        let policy = policy(path).await;
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
    }
    let policy = policy(&format!("/messages/{}/html", id.as_str().unwrap())).await;
    assert!(policy.starts_with("sandbox; default-src 'none';") && !policy.contains("script-src"), "{policy}");
}

#[tokio::test]
async fn a_foreign_page_sees_nothing() {
    let system = probes(|_| {}).await;
    for address in [&system.backends.mail, &system.backends.dynamodb] {
        let response = client().get(address).header("origin", "https://evil.example").send().await.unwrap();
        assert_eq!(response.status(), 403);
    }
}

#[tokio::test]
async fn another_call_of_ses_is_refused_as_ses_refuses_one_that_it_does_not_know() {
    let system = probes(|_| {}).await;
    for (method, path) in [("GET", "/v2/email/account"), ("PUT", "/v2/email/outbound-emails")] {
        let url = format!("{}{path}", system.backends.mail);
        let response = client().request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-amzn-errortype"], "UnknownOperationException");
        let message = format!("The local system does not know this call of SES: {method} {path}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": message }));
    }
}
