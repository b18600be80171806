//! At the most verbose level no log holds a secret or an address, and no answer says what it should not.

use serde_json::Value;
use shared::passcode::Passcode;

use crate::{
    caller::{Answer, wrong},
    support::TestApp,
};

const EMAIL: &str = "ada.lovelace@example.com";

/// Everything that may stand in an answer that issues it, and nowhere else.
struct Secrets(Vec<String>);

impl Secrets {
    fn keep(&mut self, value: &Value) {
        self.0.push(value.as_str().unwrap().to_owned());
    }
}

#[tokio::test]
async fn neither_logs_nor_errors_hold_secrets_or_addresses() {
    let app = TestApp::start().await;
    let mut secrets = Secrets(vec![app.demo.app.supertoken.clone(), app.demo.platform.platformtoken.clone()]);
    let mut errors: Vec<Answer> = Vec::new();

    let created = app.demo().create(EMAIL).await.body;
    secrets.keep(&created["token"]);
    app.demo().send(EMAIL).await;
    let passcode = app.mailed_passcode(EMAIL);
    errors.push(app.demo().auth(EMAIL, &wrong(&passcode, 1)).await);
    let exchanged = app.demo().auth(EMAIL, &passcode).await.body;
    secrets.keep(&exchanged["token"]);
    errors.push(app.demo().auth(EMAIL, &passcode).await);
    let ticket = app.demo().ticket(EMAIL).await;
    app.platform().redeem(&ticket).await;
    errors.push(app.platform().redeem(&ticket).await);
    errors.push(app.demo().create(EMAIL).await);
    errors.push(app.as_app(&app.demo.app.superkey, &secrets.0[1]).get("/customer").await);
    errors.push(app.demo().send("nobody.at.all@example.com").await);
    errors.push(app.demo().create("not an address").await);
    // A panic inside the event's conversion, and one of the operator's refusals.
    let broken =
        serde_json::json!({ "version": "2.0", "rawQueryString": format!("token={passcode} x"), "headers": {} });
    app.invoke("get-customer", &broken).await.unwrap_err();
    let cuid = created["cuid"].clone();
    let taken = serde_json::json!({ "command": "change_customer", "cuid": cuid, "email": "x", "name": EMAIL });
    app.operate(taken).await.unwrap_err();
    secrets.0.push(app.setting("PEPPER").split_once(':').unwrap().1.to_owned());
    let grouped = Passcode::parse(&passcode).unwrap().grouped();
    secrets.0.extend([ticket, passcode, grouped]);

    let lines = app.system.logs.lines();
    assert!(lines.len() > 15, "{} lines", lines.len());
    for line in &lines {
        for secret in secrets.0.iter().map(String::as_str).chain(["lovelace", "nobody.at.all"]) {
            assert!(!line.text.contains(secret), "{} logs {secret}: {}", line.function, line.text);
        }
    }
    for error in &errors {
        assert!(error.status >= 400);
        let text = format!("{} {:?}", error.body, error.headers);
        assert!(secrets.0.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[tokio::test]
async fn a_line_of_the_log_says_who_what_and_how_long() {
    let app = TestApp::start().await;
    let created = app.demo().create(EMAIL).await;
    let line = |message: &str| -> Value {
        let lines = app.system.logs.lines();
        let lines = lines.iter().filter(|line| line.function == "create-customer");
        let mut parsed = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
        parsed.find(|line| line["message"] == message).unwrap()
    };
    let request = line("request");
    assert_eq!(request["request_id"], created.request_id);
    assert_eq!(request["function"], "create-customer");
    assert_eq!(request["route"], "POST /customer");
    assert_eq!((&request["status"], &request["code"]), (&201.into(), &"ok".into()));
    assert_eq!((&request["app"], &request["cuid"]), (&(*app.demo.app.superkey).into(), &created.body["cuid"]));
    assert_eq!((&request["calls"], &request["cold"]), (&2.into(), &true.into()));
    assert!(request["duration_ms"].as_f64().unwrap() > 0.0);
    let event = line("audit");
    assert_eq!((&event["event"], &event["cuid"]), (&"customer_created".into(), &created.body["cuid"]));
}
