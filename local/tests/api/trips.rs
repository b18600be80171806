//! How many sequential calls to DynamoDB each endpoint makes: more is a defect (`docs/architecture.md`).

use std::{collections::BTreeSet, time::Duration};

use local::{calls::round_trips, faults::latency};

use crate::{
    caller::{Answer, parameter, segment},
    support::TestApp,
};

#[track_caller]
fn assert_trips(app: &TestApp, answer: &Answer, status: u16, expected: usize) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let calls = app.system.backends.calls.of_request(&answer.request_id);
    let trips = round_trips(calls.iter().filter(|call| call.service == "dynamodb"));
    assert_eq!(trips, expected, "{calls:#?}");
}

#[tokio::test]
async fn each_endpoint_makes_as_many_trips_as_it_needs_and_no_more() {
    let app = TestApp::start().await;
    // Without a network's latency calls that are made at once would not overlap.
    app.system.backends.faults.inject(latency(Duration::from_millis(20)));
    let demo = app.demo();
    let email = "ada@example.com";

    let created = demo.create(email).await;
    assert_trips(&app, &created, 201, 2);
    let cuid = created.body["cuid"].as_str().unwrap();
    assert_trips(&app, &demo.create(email).await, 409, 2);

    assert_trips(&app, &demo.get("/customer").await, 200, 3);
    assert_trips(&app, &demo.get(&format!("/customer?email={}", parameter(email))).await, 200, 2);
    let own = app.as_customer(&created.body);
    assert_trips(&app, &own.patch(cuid, &serde_json::json!({ "city": "Brest" })).await, 200, 2);
    assert_trips(&app, &demo.patch(cuid, &serde_json::json!({ "language": "fr" })).await, 200, 2);
    let keyed = async || {
        let fields = serde_json::json!({ "company": "Acme", "email": "max@example.com" });
        let request = demo.request(reqwest::Method::POST, "/customer").header("idempotency-key", "k");
        crate::caller::answer(request.json(&fields)).await
    };
    assert_trips(&app, &keyed().await, 201, 2);
    assert_trips(&app, &keyed().await, 201, 3);
    assert_trips(&app, &demo.show(cuid).await, 200, 1);
    assert_trips(&app, &app.as_customer(&created.body).show(cuid).await, 200, 1);
    assert_trips(&app, &app.as_customer(&created.body).show("another").await, 404, 1);

    let sent = demo.send(email).await;
    assert_trips(&app, &sent, 200, 3);
    let calls = app.system.backends.calls.of_request(&sent.request_id);
    assert_eq!(calls.iter().filter(|call| call.service == "ses").count(), 1);
    assert_trips(&app, &demo.send(email).await, 200, 1);
    assert_trips(&app, &demo.auth(email, &app.mailed_passcode(email)).await, 200, 3);

    assert_trips(&app, &demo.auth_by_cuid(cuid).await, 200, 2);
    assert_trips(&app, &demo.nopasscode(email).await, 200, 2);

    let sso = demo.get(&format!("/customer/{}/sso", segment(email))).await;
    assert_trips(&app, &sso, 302, 2);
    let ticket = demo.ticket(email).await;
    assert_trips(&app, &app.platform().redeem(&ticket).await, 200, 2);
    assert_trips(&app, &demo.sso(cuid).await, 302, 2);

    assert_trips(&app, &app.as_customer(&created.body).revoke(cuid).await, 204, 2);
    assert_trips(&app, &demo.revoke(cuid).await, 204, 2);

    let asked: BTreeSet<String> =
        app.system.backends.calls.all().into_iter().filter_map(|call| call.function).collect();
    let unasked: Vec<String> = app.routes().into_values().filter(|function| !asked.contains(function)).collect();
    assert!(unasked.is_empty(), "nobody has counted the trips of {unasked:?}");
}

/// What has not the form of a key is nobody's, and nothing is asked to find that out.
#[tokio::test]
async fn a_key_that_has_not_the_form_of_one_costs_no_trip() {
    let app = TestApp::start().await;
    let (app_key, platform_key) = (&app.demo.app.superkey, &app.demo.platform.platformkey);
    let shorter = |key: &str| key[..key.len() - 1].to_owned();
    let mut refused = Vec::new();
    for key in [shorter(app_key), format!("{app_key}0"), platform_key.clone(), "no key at all".to_owned()] {
        let caller = app.as_app(&key, &app.demo.app.supertoken);
        refused.extend([
            caller.create("ada@example.com").await,
            caller.get("/customer").await,
            caller.show("Ada0000000000000000000").await,
            caller.patch("Ada0000000000000000000", &serde_json::json!({ "city": "Brest" })).await,
            caller.sso("ada@example.com").await,
            caller.send("ada@example.com").await,
            caller.auth("ada@example.com", "12345678").await,
            caller.auth_by_cuid("Ada0000000000000000000").await,
            caller.nopasscode("ada@example.com").await,
            caller.revoke("Ada0000000000000000000").await,
        ]);
    }
    for key in [shorter(platform_key), app_key.clone()] {
        refused.push(app.as_platform(&key, &app.demo.platform.platformtoken).redeem("x").await);
    }
    for key in ["atomck_x", app_key.as_str()] {
        let caller = app.as_customer(&serde_json::json!({ "key": key, "token": "x" }));
        refused.extend([
            caller.show("Ada0000000000000000000").await,
            caller.patch("Ada0000000000000000000", &serde_json::json!({ "city": "Brest" })).await,
            caller.revoke("Ada0000000000000000000").await,
        ]);
    }
    for answer in &refused {
        answer.assert_error(404, "no_matching_key", "No matching key");
        assert_trips(&app, answer, 404, 0);
    }
    assert_eq!(app.mails_to("ada@example.com"), 0);
}
