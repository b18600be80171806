//! Ending things ends them: revoking, a change of address, and what proves an address.

use serde_json::{Value, json};

use crate::{
    caller::{Answer, Caller},
    support::TestApp,
};

const EMAIL: &str = "ada@example.com";

/// A customer with a proved address, a pair from the creation, and one for a passcode.
struct Scene {
    app: TestApp,
    cuid: String,
    created: Value,
    proved: Value,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start_with(|options| {
            options.parameter_overrides.insert("PasscodeCooldownSeconds".to_owned(), "0".to_owned());
        })
        .await;
        let created = app.demo().create(EMAIL).await.body;
        app.demo().send(EMAIL).await;
        let proved = app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await.body;
        let cuid = created["cuid"].as_str().unwrap().to_owned();
        Self { app, cuid, created, proved }
    }

    fn as_created(&self) -> Caller<'_> {
        self.app.as_customer(&self.created)
    }

    fn as_proved(&self) -> Caller<'_> {
        self.app.as_customer(&self.proved)
    }

    async fn record(&self) -> Value {
        self.app.demo().show(&self.cuid).await.body
    }

    async fn mailed(&self) -> String {
        self.app.demo().send(EMAIL).await;
        self.app.mailed_passcode(EMAIL)
    }
}

#[track_caller]
fn assert_revoked(answer: &Answer) {
    answer.assert_error(403, "invalid_token", "Invalid token");
}

#[track_caller]
fn assert_no_code(answer: &Answer) {
    answer.assert_error(401, "invalid_passcode", "Expired or invalid passcode.");
}

#[tokio::test]
async fn a_customer_ends_the_pair_that_it_presents_and_no_other() {
    let scene = Scene::set().await;
    let ended = scene.as_created().revoke(&scene.cuid).await;
    assert_eq!((ended.status, ended.body), (204, Value::Null));
    assert_revoked(&scene.as_created().show(&scene.cuid).await);
    assert_revoked(&scene.as_created().revoke(&scene.cuid).await);
    assert_eq!(scene.as_proved().show(&scene.cuid).await.status, 200);

    let other = scene.app.demo().create("grace@example.com").await.body;
    let foreign = scene.as_proved().revoke(other["cuid"].as_str().unwrap()).await;
    foreign.assert_error(404, "no_matching_key", "No matching key");
    assert_eq!(scene.as_proved().show(&scene.cuid).await.status, 200, "and ends nothing");
    assert_eq!(scene.app.as_customer(&other).show(other["cuid"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_app_ends_pairs_passcode_and_tickets_of_its_customer() {
    let scene = Scene::set().await;
    let (passcode, ticket) = (scene.mailed().await, scene.app.demo().ticket(EMAIL).await);
    let other = scene.app.another_app().await;
    other.revoke(&scene.cuid).await.assert_error(404, "user_not_found", "User not found.");
    other.revoke("nobody").await.assert_error(404, "user_not_found", "User not found.");
    assert_eq!(scene.as_created().show(&scene.cuid).await.status, 200, "a foreign App ends nothing");

    assert_eq!(scene.app.demo().revoke(&scene.cuid).await.status, 204);
    assert_revoked(&scene.as_created().show(&scene.cuid).await);
    assert_revoked(&scene.as_proved().show(&scene.cuid).await);
    assert_no_code(&scene.app.demo().auth(EMAIL, &passcode).await);
    scene.app.platform().redeem(&ticket).await.assert_error(401, "invalid_ticket", "Expired or invalid ticket.");
    assert_eq!(scene.app.demo().auth(EMAIL, &scene.mailed().await).await.status, 200, "a new code is good");
}

#[tokio::test]
async fn the_operators_revocation_ends_a_mailed_code() {
    let scene = Scene::set().await;
    let passcode = scene.mailed().await;
    scene.app.command(json!({ "command": "revoke_credentials", "cuid": scene.cuid })).await;
    assert_no_code(&scene.app.demo().auth(EMAIL, &passcode).await);
}

#[tokio::test]
async fn a_revocation_forgets_neither_mails_nor_failures() {
    let scene = Scene::set().await;
    let before = scene.app.mails_to(EMAIL);
    let mut sent = 0;
    while scene.app.demo().send(EMAIL).await.status == 200 {
        sent += 1;
        assert!(sent < 40, "the window of mails is gone");
        assert_eq!(scene.app.demo().revoke(&scene.cuid).await.status, 204);
    }
    let most = shared::passcode::limits::MAIL_WINDOWS[0].mails;
    assert_eq!(scene.app.mails_to(EMAIL), most, "{before} before, {sent} with revocations between");
}

#[tokio::test]
async fn the_first_passcode_that_comes_back_proves_the_address() {
    let app = TestApp::start().await;
    let created = app.demo().create(EMAIL).await.body;
    let cuid = created["cuid"].as_str().unwrap();
    assert_eq!(app.demo().show(cuid).await.body["email_verified"], false);
    app.demo().send(EMAIL).await;
    assert_eq!(app.demo().auth_by_cuid(cuid).await.status, 200);
    assert_eq!(app.demo().show(cuid).await.body["email_verified"], false, "that proved nothing");
    assert_eq!(app.demo().auth(EMAIL, &app.mailed_passcode(EMAIL)).await.status, 200);
    assert_eq!(app.demo().show(cuid).await.body["email_verified"], true);
    assert_eq!(app.demo().get("/customer").await.body[0]["email_verified"], true);
    let ticket = app.demo().ticket(EMAIL).await;
    assert_eq!(app.platform().redeem(&ticket).await.body["email_verified"], true);
    assert_eq!(app.as_customer(&created).show(cuid).await.status, 200, "pairs issued before live on");
}

#[tokio::test]
async fn a_change_of_address_ends_what_hung_on_the_old_one() {
    let scene = Scene::set().await;
    assert_eq!(scene.record().await["email_verified"], true);
    let spelled = json!({ "command": "change_customer", "cuid": scene.cuid, "email": "ADA@example.com" });
    assert_eq!(scene.app.command(spelled).await["email_verified"], true, "another spelling is no other address");
    let ticket = scene.app.demo().ticket(EMAIL).await;
    let changed = json!({ "command": "change_customer", "cuid": scene.cuid, "email": "ada@example.org" });
    assert_eq!(scene.app.command(changed).await["email_verified"], false);
    assert_eq!(scene.record().await["email_verified"], false);
    assert_revoked(&scene.as_proved().show(&scene.cuid).await);
    scene.app.platform().redeem(&ticket).await.assert_error(401, "invalid_ticket", "Expired or invalid ticket.");
}

#[tokio::test]
async fn pairs_outlive_a_change_of_address_where_the_operator_says_so() {
    let scene = Scene::set().await;
    let ticket = scene.app.demo().ticket(EMAIL).await;
    let changed = json!({ "command": "change_customer", "cuid": scene.cuid, "email": "ada@example.org",
        "keep_pairs": true });
    assert_eq!(scene.app.command(changed).await["email_verified"], false);
    assert_eq!(scene.as_proved().show(&scene.cuid).await.status, 200);
    scene.app.platform().redeem(&ticket).await.assert_error(401, "invalid_ticket", "Expired or invalid ticket.");
}
