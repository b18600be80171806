//! Every endpoint with every kind of credential that is refused: the exact answer, and nothing written or mailed.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    caller::{Answer, Caller, Credentials, answer},
    support::TestApp,
};

/// What a caller asks for, all at App level but where a customer may ask for themselves.
fn endpoints(cuid: &str) -> Vec<(Method, String, Option<Value>)> {
    let get = |path: &str| (Method::GET, path.to_owned(), None);
    vec![
        (Method::POST, "/customer".to_owned(), Some(json!({ "company": "New", "email": "new@example.com" }))),
        // Authentication comes before any validation.
        (Method::POST, "/customer".to_owned(), Some(json!("no object"))),
        get("/customer"),
        get("/customer/"),
        get("/customer?limit=0"),
        get(&format!("/customer/{cuid}")),
        get("/customer/ada%40example.com/sso"),
        get("/customer/ada%40example.com/sso?return_to=nonsense"),
        get("/customer/ada%40example.com/passcode"),
        get("/customer/ada%40example.com/auth?passcode=12345678"),
        get(&format!("/customer/{cuid}/auth")),
        get("/customer/ada%40example.com/auth/nopasscode"),
        (Method::PATCH, format!("/customer/{cuid}"), Some(json!({ "company": "Changed" }))),
        (Method::DELETE, format!("/customer/{cuid}/auth"), None),
    ]
}

async fn ask(caller: &Caller<'_>, (method, path, body): &(Method, String, Option<Value>)) -> Answer {
    let request = caller.request(method.clone(), path);
    answer(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn refused_credentials_get_the_published_answer_and_change_nothing() {
    let app = TestApp::start().await;
    let cuid = app.demo().create("ada@example.com").await.body["cuid"].as_str().unwrap().to_owned();
    let another = app.another_app().await.credentials;
    let suspended = app.another_app().await.credentials;
    app.command(json!({ "command": "suspend_app", "superkey": suspended[0].1 })).await;
    let (key, token) = (app.demo.app.superkey.clone(), app.demo.app.supertoken.clone());
    let pair = |key: &str, token: &str| -> Credentials {
        vec![("x-access-superkey", key.to_owned()), ("x-access-supertoken", token.to_owned())]
    };
    let unknown = format!("{}x", &key[..key.len() - 1]);
    let missing_key = (403, "missing_key", "Missing key");
    let missing_token = (403, "missing_token", "Missing token");
    let no_matching_key = (404, "no_matching_key", "No matching key");
    let invalid_token = (403, "invalid_token", "Invalid token");
    let repeated = (400, "repeated_credential", "A credential was sent more than once.");
    let cases: Vec<(Credentials, (u16, &str, &str))> = vec![
        (vec![], missing_key),
        (pair("", &token), missing_key),
        (vec![("x-access-supertoken", token.clone())], missing_key),
        (vec![("x-access-superkey", key.clone())], missing_token),
        (pair(&key, ""), missing_token),
        (pair(&unknown, &token), no_matching_key),
        (pair("no key at all", &token), no_matching_key),
        (pair(&"k".repeat(4000), &token), no_matching_key),
        (pair(&app.demo.platform.platformkey, &app.demo.platform.platformtoken), no_matching_key),
        (pair(&key, "wrong"), invalid_token),
        (pair(&key, &another[1].1), invalid_token),
        (pair(&key, &token.to_lowercase()), invalid_token),
        (suspended, (401, "not_allowed", "User not allowed for API access.")),
        ([pair(&key, &token), vec![("x-access-superkey", key.clone())]].concat(), repeated),
    ];
    let (before, mails) = (app.tables.dump().unwrap(), app.mails(None).len());
    for endpoint in endpoints(&cuid) {
        for (credentials, (status, code, message)) in &cases {
            let caller = Caller { app: &app, credentials: credentials.clone() };
            ask(&caller, &endpoint).await.assert_error(*status, code, message);
        }
    }
    assert_eq!(app.tables.dump().unwrap(), before);
    assert_eq!(app.mails(None).len(), mails);
}

/// Platforms have the one route that is not among the [`endpoints`].
#[tokio::test]
async fn every_route_is_asked_with_credentials_that_are_refused() {
    let app = TestApp::start().await;
    let asked = endpoints("cuid").into_iter().map(|(method, path, _)| {
        let path = path.split('?').next().unwrap();
        let mut segments: Vec<&str> = path.split('/').collect();
        match segments.get_mut(2) {
            Some(&mut "") => return "$default".to_owned(),
            Some(segment) => *segment = "{identifier}",
            None => {}
        }
        format!("{method} {}", segments.join("/"))
    });
    let mut asked: BTreeSet<String> = asked.collect();
    asked.insert("POST /sso/redeem".to_owned());
    assert_eq!(asked, app.routes().into_keys().collect());
}

#[tokio::test]
async fn a_header_wins_over_the_query_string_and_both_may_be_mixed() {
    let app = TestApp::start().await;
    let (key, token) = (&app.demo.app.superkey, &app.demo.app.supertoken);
    let both = format!("/customer?superkey={key}&supertoken={token}&cuid=ignored");
    assert_eq!(app.nobody().get(&both).await.status, 200);
    let wrong_in_the_query = "/customer?superkey=x&supertoken=x".to_owned();
    assert_eq!(app.demo().get(&wrong_in_the_query).await.status, 200);
    let key_alone = Caller { app: &app, credentials: vec![("x-access-superkey", key.clone())] };
    assert_eq!(key_alone.get(&format!("/customer?supertoken={token}")).await.status, 200);
    let twice = app.nobody().get(&format!("{both}&superkey={key}")).await;
    twice.assert_error(400, "repeated_credential", "A credential was sent more than once.");
    // A name that is repeated in the query string is refused even where a header would win.
    let twice = app.demo().get("/customer?superkey=x&superkey=y").await;
    twice.assert_error(400, "repeated_credential", "A credential was sent more than once.");
}

#[tokio::test]
async fn credentials_in_the_query_string_are_refused_where_the_deployment_says_so() {
    let overrides = [("AllowQueryCredentials".to_owned(), "false".to_owned())];
    let app = TestApp::start_with(|options| options.parameter_overrides.extend(overrides)).await;
    let message = "Credentials are not accepted in the query string. Send them as headers.";
    for name in ["key", "token", "superkey", "supertoken"] {
        for caller in [app.demo(), app.nobody()] {
            caller.get(&format!("/customer?{name}=x")).await.assert_error(400, "query_credentials_refused", message);
        }
    }
    assert_eq!(app.demo().get("/customer").await.status, 200);
    app.demo().create("ada@example.com").await;
    let wrong = app.demo().auth("ada@example.com", "12345678").await;
    wrong.assert_error(401, "invalid_passcode", "Expired or invalid passcode.");
}

#[tokio::test]
async fn a_customer_sees_their_own_record_and_no_other() {
    let app = TestApp::start().await;
    let ada = app.demo().create("ada@example.com").await.body;
    let max = app.demo().create("max@example.com").await.body;
    let own = app.as_customer(&ada).show(ada["cuid"].as_str().unwrap()).await;
    assert_eq!(own.status, 200);
    assert_eq!(own.body["email"], "ada@example.com");
    assert_eq!(own.body["company"], "Analytical Engines");
    assert_eq!(own.body.as_object().unwrap().len(), 5, "{}", own.body);
    for other in [max["cuid"].as_str().unwrap(), "nobody", "ada%40example.com"] {
        app.as_customer(&ada).show(other).await.assert_error(404, "no_matching_key", "No matching key");
    }
    // App credentials win where both are sent, wrong ones too.
    let cuid = ada["cuid"].as_str().unwrap();
    let mut both = app.as_customer(&ada);
    both.credentials.extend(app.demo().credentials);
    assert_eq!(both.show(max["cuid"].as_str().unwrap()).await.status, 200);
    let mut both = app.as_customer(&ada);
    both.credentials.push(("x-access-superkey", "wrong".to_owned()));
    both.show(cuid).await.assert_error(403, "missing_token", "Missing token");
}

#[tokio::test]
async fn a_customers_pair_is_refused_once_it_is_revoked_suspended_expired_or_erased() {
    let app = TestApp::start().await;
    let pair = app.demo().create("ada@example.com").await.body;
    let cuid = pair["cuid"].as_str().unwrap();
    let second = app.demo().auth_by_cuid(cuid).await.body;
    let (one, two) = (app.as_customer(&pair), app.as_customer(&second));
    let swapped = vec![one.credentials[0].clone(), two.credentials[1].clone()];
    let swapped = Caller { app: &app, credentials: swapped };
    swapped.show(cuid).await.assert_error(403, "invalid_token", "Invalid token");

    app.command(json!({ "command": "suspend_app", "superkey": app.demo.app.superkey })).await;
    assert_eq!(one.show(cuid).await.status, 200, "a suspended App's customers go on");
    app.demo().show(cuid).await.assert_error(401, "not_allowed", "User not allowed for API access.");
    app.command(json!({ "command": "resume_app", "superkey": app.demo.app.superkey })).await;

    app.command(json!({ "command": "suspend_customer", "cuid": cuid })).await;
    one.show(cuid).await.assert_error(401, "not_allowed", "User not allowed for API access.");
    for refused in [
        app.demo().auth_by_cuid(cuid).await,
        app.demo().nopasscode("ada@example.com").await,
        app.demo().send("ada@example.com").await,
        app.demo().sso("ada@example.com").await,
    ] {
        refused.assert_error(401, "not_allowed", "User not allowed for API access.");
    }
    assert_eq!(app.demo().show(cuid).await.status, 200, "its App still sees it");
    app.command(json!({ "command": "resume_customer", "cuid": cuid })).await;
    assert_eq!(one.show(cuid).await.status, 200);

    app.command(json!({ "command": "revoke_credentials", "cuid": cuid, "key": pair["key"] })).await;
    one.show(cuid).await.assert_error(403, "invalid_token", "Invalid token");
    assert_eq!(two.show(cuid).await.status, 200);
    app.command(json!({ "command": "revoke_credentials", "cuid": cuid })).await;
    two.show(cuid).await.assert_error(403, "invalid_token", "Invalid token");
    let third = app.demo().auth_by_cuid(cuid).await.body;
    let third = app.as_customer(&third);
    assert_eq!(third.show(cuid).await.status, 200);

    app.command(json!({ "command": "erase_customer", "cuid": cuid })).await;
    third.show(cuid).await.assert_error(404, "no_matching_key", "No matching key");
    app.demo().show(cuid).await.assert_error(404, "user_not_found", "User not found.");
    app.demo().auth_by_cuid(cuid).await.assert_error(404, "user_not_found", "User not found.");
    let again = app.demo().create("ada@example.com").await;
    assert_eq!(again.status, 201, "the address is free");
    assert_ne!(again.body["cuid"], *cuid);
}

/// A restored backup takes a customer's epoch back, and Credentials, which is not restored, has pairs of all its epochs.
#[tokio::test]
async fn what_was_revoked_stays_so_after_a_restored_customer_is_revoked_once() {
    let app = TestApp::start().await;
    let before = app.demo().create("ada@example.com").await.body;
    let cuid = before["cuid"].as_str().unwrap();
    let tables = &app.tables;
    let [customer, guard] =
        ["CustomersTable", "DirectoryTable"].map(|table| (table, tables.items(table).unwrap().remove(0)));
    let mut pairs = vec![before.clone()];
    for _ in 0..3 {
        app.command(json!({ "command": "revoke_credentials", "cuid": cuid })).await;
        pairs.push(app.demo().auth_by_cuid(cuid).await.body);
    }
    for (table, item) in [customer, guard] {
        tables.put(table, &item).unwrap();
    }
    assert_eq!(app.as_customer(&before).show(cuid).await.status, 200, "the restore brought it back");
    for _ in 0..2 {
        app.command(json!({ "command": "revoke_credentials", "cuid": cuid })).await;
        for pair in &pairs {
            app.as_customer(pair).show(cuid).await.assert_error(403, "invalid_token", "Invalid token");
        }
    }
}

#[tokio::test]
async fn a_pair_is_valid_for_exactly_its_lifetime() {
    let app = TestApp::start().await;
    let pair = app.demo().create("ada@example.com").await.body;
    let cuid = pair["cuid"].as_str().unwrap();
    let tables = &app.tables;
    let mut item = tables.items("CredentialsTable").unwrap().remove(0);
    let lifetime = |name: &str| item[name]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(lifetime("expires_at") - lifetime("issued_at"), 7_776_000_000);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    item["expires_at"]["N"] = (now + 60_000).to_string().into();
    tables.put("CredentialsTable", &item).unwrap();
    assert_eq!(app.as_customer(&pair).show(cuid).await.status, 200);
    item["expires_at"]["N"] = now.to_string().into();
    tables.put("CredentialsTable", &item).unwrap();
    app.as_customer(&pair).show(cuid).await.assert_error(403, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn a_rotated_token_overlaps_for_as_long_as_was_asked_and_no_older_one_does() {
    let app = TestApp::start().await;
    let key = &app.demo.app.superkey;
    let rotate = async |overlap: u64| {
        let command = json!({ "command": "rotate_token", "key": key, "overlap_seconds": overlap });
        app.command(command).await["token"].as_str().unwrap().to_owned()
    };
    let status = async |token: &str| app.as_app(key, token).get("/customer").await.status;
    let first = app.demo.app.supertoken.clone();
    let second = rotate(3600).await;
    assert_eq!([status(&first).await, status(&second).await], [200, 200]);
    let third = rotate(1).await;
    assert_eq!([status(&first).await, status(&second).await, status(&third).await], [403, 200, 200]);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!([status(&second).await, status(&third).await], [403, 200]);
    let fourth = rotate(0).await;
    assert_eq!([status(&third).await, status(&fourth).await], [403, 200]);

    let platform = &app.demo.platform;
    let token = app.command(json!({ "command": "rotate_token", "key": platform.platformkey })).await["token"].clone();
    app.platform().redeem("x").await.assert_error(403, "invalid_token", "Invalid token");
    let rotated = app.as_platform(&platform.platformkey, token.as_str().unwrap());
    rotated.redeem("x").await.assert_error(401, "invalid_ticket", "Expired or invalid ticket.");
}

#[tokio::test]
async fn a_platforms_credentials_are_refused_in_the_published_order() {
    let app = TestApp::start().await;
    let platform = &app.demo.platform;
    let (key, token) = (platform.platformkey.as_str(), platform.platformtoken.as_str());
    app.nobody().redeem("x").await.assert_error(403, "missing_key", "Missing key");
    app.as_platform(key, "").redeem("x").await.assert_error(403, "missing_token", "Missing token");
    app.as_platform("atompk_x", token).redeem("x").await.assert_error(404, "no_matching_key", "No matching key");
    app.as_platform(key, "x").redeem("x").await.assert_error(403, "invalid_token", "Invalid token");
    let app_pair = &app.demo.app;
    let as_app = app.as_platform(&app_pair.superkey, &app_pair.supertoken);
    as_app.redeem("x").await.assert_error(404, "no_matching_key", "No matching key");
    let in_the_query = format!("/sso/redeem?platformkey={key}&platformtoken={token}");
    app.nobody().post(&in_the_query, &json!({ "ticket": "x" })).await.assert_error(403, "missing_key", "Missing key");
}

#[tokio::test]
async fn an_app_without_a_grant_is_refused_the_endpoint() {
    let app = TestApp::start().await;
    let bare = app.command(json!({ "command": "create_app", "name": "Bare" })).await;
    let bare = app.as_app(bare["superkey"].as_str().unwrap(), bare["supertoken"].as_str().unwrap());
    bare.create("ada@example.com").await;
    for refused in [
        bare.send("ada@example.com").await,
        bare.nopasscode("ada@example.com").await,
        bare.sso("ada@example.com").await,
    ] {
        refused.assert_error(401, "not_allowed", "User not allowed for API access.");
    }
    let key = &bare.credentials[0].1;
    app.command(json!({ "command": "change_app", "superkey": key, "grants": ["nopasscode"] })).await;
    assert_eq!(bare.nopasscode("ada@example.com").await.status, 200);
    assert_eq!(bare.send("ada@example.com").await.status, 401);
    assert_eq!(app.mails_to("ada@example.com"), 0);
}
