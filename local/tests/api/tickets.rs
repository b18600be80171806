//! Single sign-on: the redirect, and the one redemption of its ticket.

use reqwest::Method;
use serde_json::json;

use crate::{
    caller::{Answer, age, answer, segment},
    support::TestApp,
};

const EMAIL: &str = "ada@example.com";

#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert_error(401, "invalid_ticket", "Expired or invalid ticket.");
}

async fn with_customer() -> TestApp {
    let app = TestApp::start().await;
    app.demo().create("Ada@Example.com").await;
    app
}

#[tokio::test]
async fn a_ticket_is_redeemed_once_by_its_own_platform() {
    let app = with_customer().await;
    let redirect = app.demo().sso(EMAIL).await;
    assert_eq!(redirect.status, 302);
    redirect.assert_headers();
    let location = redirect.header("location");
    assert!(location.starts_with(&format!("{}/?ticket=atomtk_", app.api)), "{location}");
    let ticket = location.split_once("ticket=").unwrap().1;
    let stored = serde_json::to_string(&app.tables.items("TicketsTable").unwrap()).unwrap();
    assert!(!stored.contains(ticket), "only its hash is stored");

    let other = json!({ "command": "create_platform", "name": "Other", "url": "https://other.example" });
    let other = app.command(other).await;
    let other = app.as_platform(other["platformkey"].as_str().unwrap(), other["platformtoken"].as_str().unwrap());
    assert_refused(&other.redeem(ticket).await);
    let redeemed = app.platform().redeem(ticket).await;
    assert_eq!(redeemed.status, 200, "a foreign platform's try burns nothing");
    redeemed.assert_headers();
    let cuid = redeemed.body["cuid"].clone();
    let expected = json!({ "cuid": cuid, "email": "Ada@Example.com", "email_verified": false,
        "company": "Analytical Engines", "app": app.demo.app.superkey, "app_name": "Demo App" });
    assert_eq!(redeemed.body, expected);
    assert_refused(&app.platform().redeem(ticket).await);
}

#[tokio::test]
async fn a_ticket_lives_for_exactly_sixty_seconds() {
    let app = with_customer().await;
    let (early, late) = (app.demo().ticket(EMAIL).await, app.demo().ticket(EMAIL).await);
    let tables = &app.tables;
    for mut item in tables.items("TicketsTable").unwrap() {
        let is_late = item["hash"]["S"] == shared::token::TokenHash::of(&late).to_key();
        age(&mut item, &["expires_at"], if is_late { 60_000 } else { 55_000 });
        tables.put("TicketsTable", &item).unwrap();
    }
    assert_eq!(app.platform().redeem(&early).await.status, 200);
    assert_refused(&app.platform().redeem(&late).await);
}

#[tokio::test]
async fn a_ticket_dies_with_what_it_speaks_of() {
    let app = with_customer().await;
    let cuid = app.demo().get("/customer").await.body[0]["cuid"].clone();
    let suspended = app.demo().ticket(EMAIL).await;
    app.command(json!({ "command": "suspend_customer", "cuid": cuid })).await;
    assert_refused(&app.platform().redeem(&suspended).await);
    app.command(json!({ "command": "resume_customer", "cuid": cuid })).await;
    let revoked = app.demo().ticket(EMAIL).await;
    app.command(json!({ "command": "revoke_credentials", "cuid": cuid })).await;
    assert_refused(&app.platform().redeem(&revoked).await);
    let erased = app.demo().ticket(EMAIL).await;
    app.command(json!({ "command": "erase_customer", "cuid": cuid })).await;
    assert_refused(&app.platform().redeem(&erased).await);
}

/// Finds what `suspend`, `change` or the like ends: a ticket that was issued before it is refused after it.
#[tokio::test]
async fn a_ticket_is_refused_where_the_app_leads_elsewhere_or_nowhere() {
    let app = with_customer().await;
    let superkey = &app.demo.app.superkey;
    let other = json!({ "command": "create_platform", "name": "Other", "url": "https://other.example" });
    let other = app.command(other).await;
    let elsewhere = app.as_platform(other["platformkey"].as_str().unwrap(), other["platformtoken"].as_str().unwrap());
    let away = [
        (json!({ "platform": null }), json!({ "platform": app.demo.platform.platformkey })),
        (json!({ "platform": other["platformkey"] }), json!({ "platform": app.demo.platform.platformkey })),
    ];
    for (away, back) in away {
        let ticket = app.demo().ticket(EMAIL).await;
        let change = async |mut change: serde_json::Value| {
            change["command"] = "change_app".into();
            change["superkey"] = superkey.as_str().into();
            app.command(change).await
        };
        change(away).await;
        assert_refused(&app.platform().redeem(&ticket).await);
        assert_refused(&elsewhere.redeem(&ticket).await);
        change(back).await;
        assert_eq!(app.platform().redeem(&ticket).await.status, 200, "it was not burnt by that");
    }
    let ticket = app.demo().ticket(EMAIL).await;
    app.command(json!({ "command": "suspend_app", "superkey": superkey })).await;
    assert_refused(&app.platform().redeem(&ticket).await);
}

#[tokio::test]
async fn a_suspended_platform_redeems_nothing_and_no_ticket_is_issued_for_it() {
    let app = with_customer().await;
    let platformkey = &app.demo.platform.platformkey;
    let ticket = app.demo().ticket(EMAIL).await;
    app.command(json!({ "command": "suspend_platform", "platformkey": platformkey })).await;
    let not_allowed = |answer: &Answer| answer.assert_error(401, "not_allowed", "User not allowed for API access.");
    not_allowed(&app.platform().redeem(&ticket).await);
    not_allowed(&app.demo().sso(EMAIL).await);
    app.command(json!({ "command": "resume_platform", "platformkey": platformkey })).await;
    assert_eq!(app.platform().redeem(&ticket).await.status, 200);
}

#[tokio::test]
async fn a_cuid_serves_in_place_of_the_address() {
    let app = with_customer().await;
    let cuid = app.demo().get("/customer").await.body[0]["cuid"].as_str().unwrap().to_owned();
    let ticket = app.demo().ticket(&cuid).await;
    assert_eq!(app.platform().redeem(&ticket).await.body["cuid"], cuid.as_str());
    let other = app.another_app().await;
    other.sso(&cuid).await.assert_error(404, "user_not_found", "User not found.");
    app.command(json!({ "command": "suspend_customer", "cuid": cuid })).await;
    app.demo().sso(&cuid).await.assert_error(401, "not_allowed", "User not allowed for API access.");
}

#[tokio::test]
async fn what_is_no_ticket_is_told_apart_from_a_bad_request() {
    let app = with_customer().await;
    for ticket in ["x", "atomtk_", " ", &"x".repeat(10_000)] {
        assert_refused(&app.platform().redeem(ticket).await);
    }
    let post = async |body| app.platform().post("/sso/redeem", &body).await;
    post(json!({})).await.assert_invalid(&["ticket"]);
    post(json!({ "ticket": "" })).await.assert_invalid(&["ticket"]);
    post(json!({ "ticket": null })).await.assert_invalid(&["ticket"]);
    post(json!({ "ticket": "x", "extra": 1 })).await.assert_invalid(&["extra"]);
    post(json!([])).await.assert_invalid(&["body"]);
    let twice = app.platform().request(Method::POST, "/sso/redeem").body(r#"{"ticket": "x", "ticket": "x"}"#);
    answer(twice).await.assert_invalid(&["ticket"]);
    let large = post(json!({ "ticket": "x".repeat(20_000) })).await;
    large.assert_error(413, "body_too_large", "The body is larger than 16 KiB.");
}

#[tokio::test]
async fn the_browser_is_sent_to_the_apps_own_platform_and_nowhere_else() {
    let app = with_customer().await;
    let platform = json!({ "command": "change_platform", "platformkey": app.demo.platform.platformkey,
        "url": "https://platform.example/in?lang=en" });
    app.command(platform).await;
    let sso = async |query: &str| app.demo().get(&format!("/customer/{}/sso{query}", segment(EMAIL))).await;
    let query = "?return_to=%2Fa%3Fb%3Dc%26d&state=from%20the%20browser&platform=https://evil.example";
    let location = sso(query).await;
    let location = url::Url::parse(location.header("location")).unwrap();
    assert_eq!(location.host_str(), Some("platform.example"));
    let pairs: Vec<_> = location.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lang", "ticket"], "nothing that anybody could change on the way");
    let redeemed = app.platform().redeem(&pairs[1].1).await;
    assert_eq!(
        (&redeemed.body["return_to"], &redeemed.body["state"]),
        (&"/a?b=c&d".into(), &"from the browser".into())
    );
    let before = app.tables.items("TicketsTable").unwrap().len();
    for bad in [
        "",
        "x",
        "//evil",
        "/%252f",
        "/%5C",
        "https:%2F%2Fevil",
        "/%0d%0aX",
        "/%250a",
        "/a&return_to=/b",
        "/.//evil",
        "/..//evil",
        "/%252e//evil",
        "/a/..//evil",
        "/a/../b",
        "/a/%252e%252e/b",
    ] {
        let refused = sso(&format!("?return_to={bad}")).await;
        refused.assert_invalid(&["return_to"]);
    }
    for bad in ["", "%C3%A9", "a%0Ab", "a&state=b", &"x".repeat(513)] {
        sso(&format!("?state={bad}")).await.assert_invalid(&["state"]);
    }
    sso("?state=&return_to=x").await.assert_invalid(&["return_to", "state"]);
    assert_eq!(app.tables.items("TicketsTable").unwrap().len(), before);
}
