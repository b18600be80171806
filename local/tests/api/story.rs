//! The first walk through the API, as the local system prints it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, passcode_in};

#[tokio::test]
async fn a_customer_signs_in_and_reaches_the_platform() {
    let app = TestApp::start().await;
    let customer = json!({ "company": "Analytical Engines", "email": "ada@example.com" });
    let created = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let created: Value = created.json().await.unwrap();

    let sent = app.app_request(Method::GET, "/customer/ada@example.com/passcode").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let mails = app.mails(Some("ada@example.com"));
    assert_eq!(mails.len(), 1);
    let passcode = passcode_in(&mails[0].text);

    let path = format!("/customer/ada@example.com/auth?passcode={passcode}");
    let exchanged = app.app_request(Method::GET, &path).send().await.unwrap();
    assert_eq!(exchanged.status(), 200);
    let pair: Value = exchanged.json().await.unwrap();
    assert_eq!(pair["cuid"], created["cuid"]);

    let own = app.request(Method::GET, &format!("/customer/{}", pair["cuid"].as_str().unwrap()));
    let own = own.header("x-access-key", pair["key"].as_str().unwrap());
    let own = own.header("x-access-token", pair["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(own.status(), 200);

    let redirect = app.app_request(Method::GET, "/customer/ada@example.com/sso").send().await.unwrap();
    assert_eq!(redirect.status(), 302);
    let location = url::Url::parse(redirect.headers()["location"].to_str().unwrap()).unwrap();
    let ticket = location.query_pairs().find(|(name, _)| name == "ticket").unwrap().1.into_owned();
    let redeemed = app
        .request(Method::POST, "/sso/redeem")
        .header("x-access-platformkey", &app.demo.platform.platformkey)
        .header("x-access-platformtoken", &app.demo.platform.platformtoken)
        .json(&json!({ "ticket": ticket }))
        .send()
        .await
        .unwrap();
    assert_eq!(redeemed.status(), 200);
    assert_eq!(redeemed.json::<Value>().await.unwrap()["email"], "ada@example.com");
}
