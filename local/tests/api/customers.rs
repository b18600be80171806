//! Creating, finding and listing customers.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    caller::{Answer, Caller, answer, segment},
    support::TestApp,
};

#[tokio::test]
async fn a_created_customer_is_found_with_every_field_that_was_given() {
    let app = TestApp::start().await;
    let fields = json!({
        "company": "  Analytical Engines ", "email": "Ada@Example.com", "name": "Ada", "address": "x".repeat(500),
        "country": "GB", "city": "London", "zip": "1", "state": "", "phone": "+44", "website": "https://a.example/",
    });
    let created = app.demo().post("/customer", &fields).await;
    assert_eq!(created.status, 201);
    created.assert_headers();
    let cuid = created.body["cuid"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/customer/{cuid}"));
    assert_eq!(created.body.as_object().unwrap().len(), 4);
    assert_moment(&created.body["expires_at"]);
    let mut shown = app.demo().show(cuid).await.body;
    let created_at = shown.as_object_mut().unwrap().remove("created_at").unwrap();
    assert_moment(&created_at);
    let mut expected = fields;
    expected["email_verified"] = false.into();
    expected["company"] = "Analytical Engines".into();
    expected["cuid"] = cuid.into();
    expected.as_object_mut().unwrap().remove("state");
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn what_a_creation_may_not_hold_is_told_all_at_once_and_nothing_is_written() {
    let app = TestApp::start().await;
    let post = async |body: Value| app.demo().post("/customer", &body).await;
    let before = app.system.backends.tables.dump().unwrap();
    post(json!({})).await.assert_invalid(&["company", "email"]);
    post(json!({
        "company": null, "email": ["a@b.example"], "name": "a\u{0}b", "address": "x".repeat(501), "city": "a\u{202e}b",
        "country": 1, "phone": "1".repeat(201), "state": true, "zip": "\n1\n2", "website": "gopher://x", "id": "1",
    }))
    .await
    .assert_invalid(&[
        "address", "city", "company", "country", "email", "id", "name", "phone", "state", "website", "zip",
    ]);
    for body in ["", "{", "[]", "null", "company=x"] {
        let request = app.demo().request(Method::POST, "/customer").body(body);
        answer(request).await.assert_invalid(&["body"]);
    }
    let large = post(json!({ "company": "x".repeat(16 * 1024), "email": "a@example.com" })).await;
    large.assert_error(413, "body_too_large", "The body is larger than 16 KiB.");
    assert_eq!(app.system.backends.tables.dump().unwrap(), before);
}

#[tokio::test]
async fn an_address_is_one_customer_of_an_app_and_another_of_another() {
    let app = TestApp::start().await;
    let first = app.demo().create("Ada@Bücher.Example").await;
    for spelling in ["ada@bücher.example", "ADA@XN--BCHER-KVA.EXAMPLE"] {
        let again = app.demo().create(spelling).await;
        let expected = json!({
            "message": "A customer with this address exists already.", "code": "customer_exists",
            "request_id": again.request_id, "cuid": first.body["cuid"],
        });
        assert_eq!((again.status, &again.body), (409, &expected));
    }
    let other = app.another_app().await.create("ada@bücher.example").await;
    assert_eq!(other.status, 201);
    assert_ne!(other.body["cuid"], first.body["cuid"]);
    assert_eq!(app.demo().create("ada+news@bücher.example").await.status, 201, "a tag belongs to the address");
}

#[tokio::test]
async fn every_door_takes_the_same_addresses() {
    let app = TestApp::start().await;
    let domain = format!("{0}.{0}.{0}.abcdef", "d".repeat(60));
    let longest = format!("{}@{domain}", "l".repeat(64));
    assert_eq!(longest.len(), 254);
    for address in ["a+b@example.com", "100%25@example.com", "UPPER@Example.COM", "ü@x.example", &longest] {
        let created = app.demo().create(address).await;
        if address.starts_with('ü') {
            created.assert_invalid(&["email"]);
            continue;
        }
        assert_eq!(created.status, 201, "{address}: {}", created.body);
        let found = app.demo().nopasscode(address).await;
        assert_eq!((found.status, &found.body["cuid"]), (200, &created.body["cuid"]), "{address}");
        assert_eq!(app.demo().nopasscode(&address.to_lowercase()).await.body["cuid"], created.body["cuid"]);
        assert_eq!(app.demo().sso(address).await.status, 302);
        assert_eq!(app.demo().send(address).await.status, 200);
        assert_eq!(app.demo().auth(address, &app.mailed_passcode(address)).await.status, 200);
    }
    assert_eq!(app.demo().create(&format!("{longest}g")).await.status, 400);
    for address in ["\"a\"@example.com", "a/b@example.com", "a(c)@example.com", "é@example.com", "a@[1.2.3.4]", "a@b@c"]
    {
        app.demo().create(address).await.assert_invalid(&["email"]);
        for looked_up in
            [app.demo().send(address).await, app.demo().sso(address).await, app.demo().nopasscode(address).await]
        {
            looked_up.assert_error(404, "user_not_found", "User not found.");
        }
        let auth = app.demo().auth(address, "12345678").await;
        auth.assert_error(404, "user_not_found", "User not found.");
    }
}

#[tokio::test]
async fn an_identifier_that_cannot_exist_is_a_customer_that_does_not() {
    let app = TestApp::start().await;
    let endless = "x".repeat(5000);
    for identifier in ["x", "a%00b", "%ff", "a%0d%0ab", " ", &endless] {
        for path in [format!("/customer/{identifier}"), format!("/customer/{identifier}/auth")] {
            let path = path.replace(' ', "%20");
            app.demo().get(&path).await.assert_error(404, "user_not_found", "User not found.");
        }
    }
    app.demo().nopasscode("nobody").await.assert_invalid(&["identifier"]);
}

#[tokio::test]
async fn another_apps_customer_does_not_exist() {
    let app = TestApp::start().await;
    let theirs = app.another_app().await;
    let email = "alan@example.com";
    let cuid = theirs.create(email).await.body["cuid"].as_str().unwrap().to_owned();
    theirs.send(email).await;
    let passcode = app.mailed_passcode(email);
    let nobody = "nobodynobodynobodynobo";
    let pairs: Vec<(Answer, Answer)> = vec![
        (app.demo().show(&cuid).await, app.demo().show(nobody).await),
        (app.demo().auth_by_cuid(&cuid).await, app.demo().auth_by_cuid(nobody).await),
        (app.demo().sso(email).await, app.demo().sso("nobody@example.com").await),
        (app.demo().send(email).await, app.demo().send("nobody@example.com").await),
        (app.demo().auth(email, &passcode).await, app.demo().auth("nobody@example.com", &passcode).await),
        (app.demo().nopasscode(email).await, app.demo().nopasscode("nobody@example.com").await),
    ];
    for (theirs, nobodys) in pairs {
        theirs.assert_error(404, "user_not_found", "User not found.");
        assert_eq!(theirs.without_request(), nobodys.without_request());
    }
    assert_eq!(app.mails_to(email), 1);
    assert_eq!(app.demo().get("/customer").await.body, json!([]));
    let cursor = {
        theirs.create("b@example.com").await;
        theirs.get("/customer?limit=1").await
    };
    let next = next_page(&cursor).unwrap();
    app.demo().get(&next).await.assert_invalid(&["cursor"]);
    let pair = theirs.auth_by_cuid(&cuid).await.body;
    let own = app.demo().create("ada@example.com").await.body["cuid"].as_str().unwrap().to_owned();
    let (there, nowhere) = (app.as_customer(&pair).show(&own).await, app.as_customer(&pair).show(nobody).await);
    there.assert_error(404, "no_matching_key", "No matching key");
    assert_eq!(there.without_request(), nowhere.without_request());
}

/// The path of the next page, where there is one.
fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.header("link").strip_prefix('<')?;
    let (path, rest) = link.split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    Some(path.to_owned())
}

/// Follows the links from `path` on; answers every customer's `cuid`, and how many pages there were.
async fn follow(caller: &Caller<'_>, path: &str) -> (Vec<String>, usize) {
    let (mut cuids, mut pages, mut path) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(here) = path {
        let page = caller.get(&here).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.assert_headers();
        let customers = page.body.as_array().unwrap();
        cuids.extend(customers.iter().map(|customer| customer["cuid"].as_str().unwrap().to_owned()));
        path = next_page(&page);
        assert!(path.as_ref().is_none_or(|path| !path.contains("super")), "never credentials");
        pages += 1;
    }
    (cuids, pages)
}

/// RFC 3339 in UTC with exactly three digits of a second.
#[track_caller]
fn assert_moment(value: &Value) {
    let text = value.as_str().unwrap();
    let shape: String = text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{text}");
}

/// Puts customers into an App's list, past every function.
fn insert(app: &TestApp, count: usize, padding: usize) {
    use shared::{
        Timestamp,
        customer::Customer,
        email::EmailAddress,
        id::{Cuid, Subject, Superkey},
        status::Status,
    };
    let superkey = Superkey::parse(&app.demo.app.superkey).unwrap();
    for n in 0..count {
        let email = format!("customer{n}@example.com");
        let address = EmailAddress::parse(&email).unwrap();
        let customer = Customer {
            subject: Subject { app: superkey.clone(), cuid: Cuid::new().unwrap(), epoch: 0 },
            email_verified: false,
            email,
            profile: vec![("company", "Acme \"Quoted\"".to_owned()), ("address", "ä".repeat(padding))],
            status: Status::Active,
            created_at: Timestamp::from_millis(1_767_225_600_000),
        };
        let tables = &app.system.backends.tables;
        tables.put("CustomersTable", &crate::fixtures::to_json(&customer.to_item())).unwrap();
        tables.put("DirectoryTable", &crate::fixtures::to_json(&customer.to_guard_item(&address))).unwrap();
    }
}

#[tokio::test]
async fn following_the_links_visits_each_of_25_000_customers_once() {
    let app = TestApp::start().await;
    insert(&app, 25_000, 100);
    let (cuids, pages) = follow(&app.demo(), "/customer").await;
    assert_eq!((cuids.len(), cuids.iter().collect::<BTreeSet<_>>().len()), (25_000, 25_000));
    assert!((2..=4).contains(&pages), "as many as a reply can hold: {pages} pages");
    let (cuids, pages) = follow(&app.demo(), "/customer?limit=1000").await;
    assert_eq!((cuids.iter().collect::<BTreeSet<_>>().len(), pages), (25_000, 25));
}

#[tokio::test]
async fn a_list_is_cut_where_the_caller_says() {
    let app = TestApp::start().await;
    insert(&app, 7, 1);
    let (cuids, pages) = follow(&app.demo(), "/customer?limit=3").await;
    assert_eq!((cuids.iter().collect::<BTreeSet<_>>().len(), pages), (7, 3));
    assert_eq!(follow(&app.demo(), "/customer/?limit=7").await.1, 1, "no link where nothing remains");
    let (key, token) = (&app.demo.app.superkey, &app.demo.app.supertoken);
    let in_the_query = app.nobody().get(&format!("/customer?superkey={key}&supertoken={token}&limit=1")).await;
    assert!(!in_the_query.header("link").contains("atoms"), "never credentials");
    for limit in ["0", "1001", "-1", "+1", "1.0", "x", "", "99999999999999999999", "1&limit=2"] {
        app.demo().get(&format!("/customer?limit={limit}")).await.assert_invalid(&["limit"]);
    }
    app.demo().get("/customer?limit=0&cursor=forged").await.assert_invalid(&["cursor", "limit"]);
    let cursor = next_page(&app.demo().get("/customer?limit=1").await).unwrap();
    let sealed = cursor.split_once("cursor=").unwrap().1;
    let forged = format!("{}A{}", &sealed[..30], &sealed[31..]);
    for cursor in ["", "x", "AQ", &forged, &sealed[..sealed.len() - 4], &segment("ö")] {
        app.demo().get(&format!("/customer?cursor={cursor}")).await.assert_invalid(&["cursor"]);
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_not_found_in_the_same_shape() {
    let app = TestApp::start().await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/customers"),
        (Method::DELETE, "/customer"),
        (Method::PUT, "/customer/x"),
        (Method::POST, "/customer/"),
        (Method::OPTIONS, "/customer"),
        (Method::GET, "/sso/redeem"),
        (Method::GET, "/customer/a/b/c/d"),
    ] {
        let answer = answer(app.demo().request(method.clone(), path)).await;
        answer.assert_error(404, "route_not_found", "Not found.");
    }
    let head = app.demo().request(Method::HEAD, "/customer").send().await.unwrap();
    assert_eq!(head.status(), 404);
    assert_eq!(app.demo().get("/customer/").await.status, 200);
}
