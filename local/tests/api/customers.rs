//! Creating, finding and listing customers.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    caller::{Answer, Caller, age, answer, parameter},
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
    let before = app.tables.dump().unwrap();
    post(json!({})).await.assert_invalid(&["company", "email"]);
    post(json!({
        "company": null, "email": ["a@b.example"], "name": "a\u{0}b", "address": "x".repeat(501), "city": "a\u{202e}b",
        "country": 1, "phone": "1".repeat(201), "state": true, "zip": "\n1\n2", "website": "gopher://x", "id": "1",
    }))
    .await
    .assert_invalid(&[
        "address", "city", "company", "country", "email", "id", "name", "phone", "state", "website", "zip",
    ]);
    for email in ["ada@localhost", "ada@127.0.0.1", "ada@exam\u{ad}ple.com", "ada@b\u{feff}c.co"] {
        post(json!({ "company": "A", "email": email })).await.assert_invalid(&["email"]);
    }
    for body in ["", "{", "[]", "null", "company=x"] {
        let request = app.demo().request(Method::POST, "/customer").body(body);
        answer(request).await.assert_invalid(&["body"]);
    }
    // The escape spells a name that is there already.
    let twice =
        r#"{"company": "A", "email": "a@b.example", "comp\u0061ny": "A", "x": 1, "x": 2, "name": 1, "email": "c"}"#;
    let request = app.demo().request(Method::POST, "/customer").body(twice);
    answer(request).await.assert_invalid(&["company", "email", "email", "name", "x", "x"]);
    let large = post(json!({ "company": "x".repeat(16 * 1024), "email": "a@example.com" })).await;
    large.assert_error(413, "body_too_large", "The body is larger than 16 KiB.");
    assert_eq!(app.tables.dump().unwrap(), before);
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
            mail: None,
            email,
            profile: vec![("company", "Acme \"Quoted\"".to_owned()), ("address", "ä".repeat(padding))],
            status: Status::Active,
            created_at: Timestamp::from_millis(1_767_225_600_000),
        };
        let tables = &app.tables;
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
    for cursor in ["", "x", "AQ", &forged, &sealed[..sealed.len() - 4], &parameter("ö")] {
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

/// A creation with a key.
async fn create_with_key(app: &TestApp, key: &str, body: &Value) -> Answer {
    let request = app.demo().request(Method::POST, "/customer").header("idempotency-key", key).json(body);
    answer(request).await
}

#[tokio::test]
async fn a_creation_is_repeated_by_its_key() {
    let app = TestApp::start().await;
    let body = json!({ "company": "Acme", "email": "ada@example.com", "city": "Brest" });
    let created = create_with_key(&app, "k-1", &body).await;
    assert_eq!((created.status, created.headers.contains_key("idempotent-replayed")), (201, false));
    let mut spelled = body.clone();
    spelled["email"] = "ADA@example.com".into();
    for same in [&body, &spelled] {
        let again = create_with_key(&app, "k-1", same).await;
        again.assert_headers();
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
        assert_eq!(
            (again.header("location"), &again.body["cuid"]),
            (created.header("location"), &created.body["cuid"])
        );
        assert_ne!(again.body["key"], created.body["key"]);
        for pair in [&created.body, &again.body] {
            assert_eq!(app.as_customer(pair).show(pair["cuid"].as_str().unwrap()).await.status, 200);
        }
    }
    let pairs = app.tables.items("CredentialsTable").unwrap().len();

    let mut other = body.clone();
    other["city"] = "Paris".into();
    let reused = create_with_key(&app, "k-1", &other).await;
    reused.assert_error(422, "idempotency_key_reused", "This Idempotency-Key was sent with other fields before.");
    let exists = |answer: &Answer| assert_eq!((answer.status, answer.code()), (409, "customer_exists"));
    exists(&create_with_key(&app, "k-2", &body).await);
    exists(&app.demo().post("/customer", &body).await);
    assert_eq!(app.demo().get("/customer").await.body[0]["city"], "Brest");
    assert_eq!(app.tables.items("CredentialsTable").unwrap().len(), pairs, "nothing was written");

    let stored = serde_json::to_string(&app.tables.items("DirectoryTable").unwrap()).unwrap();
    assert!(!stored.contains("k-1") && !stored.contains("Brest"), "only hashes are stored");
    let cuid = created.body["cuid"].as_str().unwrap();
    let changed = json!({ "command": "change_customer", "cuid": cuid, "company": "Acme Group", "language": "fr" });
    app.command(changed).await;
    assert_eq!(create_with_key(&app, "k-1", &body).await.status, 201, "a change of the customer keeps the key");
    app.command(json!({ "command": "suspend_customer", "cuid": cuid })).await;
    create_with_key(&app, "k-1", &body).await.assert_error(401, "not_allowed", "User not allowed for API access.");
    exists(&create_with_key(&app, "k-2", &body).await);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::start().await;
    let body = json!({ "company": "Acme", "email": "ada@example.com" });
    create_with_key(&app, "k", &body).await;
    let tables = &app.tables;
    let hours = async |hours: u64| {
        let mut guard = tables.items("DirectoryTable").unwrap().remove(0);
        age(&mut guard, &["idempotent_until"], hours * 3_600_000);
        tables.put("DirectoryTable", &guard).unwrap();
        create_with_key(&app, "k", &body).await.status
    };
    assert_eq!(hours(23).await, 201);
    assert_eq!(hours(1).await, 409);
}

#[tokio::test]
async fn of_many_creations_with_one_key_all_are_the_same_customer() {
    let app = TestApp::start().await;
    let body = json!({ "company": "Acme", "email": "ada@example.com" });
    let answers = futures::future::join_all((0..20).map(|_| create_with_key(&app, "k", &body))).await;
    let cuids: BTreeSet<_> = answers.iter().map(|answer| (answer.status, answer.body["cuid"].to_string())).collect();
    assert_eq!(cuids.len(), 1, "{cuids:?}");
    assert_eq!(answers.iter().filter(|answer| !answer.headers.contains_key("idempotent-replayed")).count(), 1);
    assert_eq!(app.demo().get("/customer").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bad_key_is_told_with_the_other_fields() {
    let app = TestApp::start().await;
    for key in ["", &"x".repeat(256)] {
        let refused = create_with_key(&app, key, &json!({ "email": "a@b.example" })).await;
        refused.assert_invalid(&["Idempotency-Key", "company"]);
    }
    assert_eq!(
        create_with_key(&app, &"x".repeat(255), &json!({ "company": "A", "email": "a@b.example" })).await.status,
        201
    );
}

#[tokio::test]
async fn a_customer_is_found_by_address() {
    let app = TestApp::start().await;
    let cuid = app.demo().create("Ada+x@Example.com").await.body["cuid"].clone();
    app.demo().create("grace@example.com").await;
    let find =
        async |caller: &Caller<'_>, email: &str| caller.get(&format!("/customer?email={}", parameter(email))).await;
    let found = find(&app.demo(), "ADA+x@example.com").await;
    let shown = app.demo().show(cuid.as_str().unwrap()).await.body;
    assert_eq!((found.status, &found.body), (200, &json!([shown])));
    found.assert_headers();
    for nobody in ["ada@example.com", "nobody@example.com", "", "x", "ada@localhost", cuid.as_str().unwrap()] {
        let none = find(&app.demo(), nobody).await;
        assert_eq!((none.status, &none.body), (200, &json!([])), "{nobody}");
    }
    assert_eq!(find(&app.another_app().await, "ada+x@example.com").await.body, json!([]), "another App's");
    app.demo().get("/customer?email=a%40b.example&limit=1").await.assert_invalid(&["limit"]);
    app.demo().get("/customer?email=a%40b.example&cursor=x&limit=x").await.assert_invalid(&["cursor", "limit"]);
    app.demo().get("/customer?email=a%40b.example&email=x").await.assert_invalid(&["email"]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let app = TestApp::start().await;
    let fields =
        json!({ "company": "Acme", "email": "ada@example.com", "name": "Ada", "city": "Brest", "language": "fr" });
    let created = app.demo().post("/customer", &fields).await.body;
    let cuid = created["cuid"].as_str().unwrap();
    let own = app.as_customer(&created);
    let before = own.show(cuid).await.body;

    let changed =
        own.patch(cuid, &json!({ "company": " Acme Group ", "city": null, "website": "https://A.example" })).await;
    changed.assert_headers();
    let mut expected = before.clone();
    expected["company"] = "Acme Group".into();
    expected["website"] = "https://a.example/".into();
    expected.as_object_mut().unwrap().remove("city");
    assert_eq!((changed.status, &changed.body), (200, &expected));
    assert_eq!(own.show(cuid).await.body, expected);

    let changed = app.demo().patch(cuid, &json!({ "language": "de-AT", "name": "" })).await;
    expected["language"] = "de-AT".into();
    expected.as_object_mut().unwrap().remove("name");
    assert_eq!((changed.status, &changed.body), (200, &expected));
    let guard = app.tables.items("DirectoryTable").unwrap().remove(0);
    assert_eq!(guard["language"]["S"], "de-AT", "mails are told");
    assert_eq!(app.demo().patch(cuid, &json!({})).await.body, expected);

    let refused =
        own.patch(cuid, &json!({ "company": null, "email": "b@b.example", "cuid": "x", "zip": 1, "y": 2 })).await;
    refused.assert_invalid(&["company", "cuid", "email", "y", "zip"]);
    own.patch(cuid, &json!([])).await.assert_invalid(&["body"]);
    let twice = own.request(Method::PATCH, &format!("/customer/{cuid}")).body(r#"{"name": "a", "name": "b"}"#);
    answer(twice).await.assert_invalid(&["name"]);
    let large = own.patch(cuid, &json!({ "name": "x".repeat(20_000) })).await;
    large.assert_error(413, "body_too_large", "The body is larger than 16 KiB.");
    assert_eq!(own.show(cuid).await.body, expected, "nothing of that changed anything");
}

#[tokio::test]
async fn a_patch_is_for_the_customer_and_its_app_alone() {
    let app = TestApp::start().await;
    let (ada, max) = (app.demo().create("ada@example.com").await.body, app.demo().create("max@example.com").await.body);
    let cuid = ada["cuid"].as_str().unwrap();
    let change = json!({ "company": "Changed", "language": "fr" });
    let other = app.another_app().await;
    other.patch(cuid, &change).await.assert_error(404, "user_not_found", "User not found.");
    app.as_customer(&max).patch(cuid, &change).await.assert_error(404, "no_matching_key", "No matching key");
    app.demo().patch("nobody", &change).await.assert_error(404, "user_not_found", "User not found.");
    assert_eq!(app.demo().show(cuid).await.body["company"], "Analytical Engines");
}

#[tokio::test]
async fn patches_of_other_fields_do_not_undo_each_other() {
    let app = TestApp::start().await;
    let cuid = app.demo().create("ada@example.com").await.body["cuid"].as_str().unwrap().to_owned();
    let fields = ["name", "address", "country", "city", "zip", "state", "phone", "language"];
    let patches = fields.map(|field| {
        let (demo, cuid) = (app.demo(), &cuid);
        async move { demo.patch(cuid, &json!({ field: "fr" })).await.status }
    });
    assert!(futures::future::join_all(patches).await.iter().all(|status| *status == 200));
    let shown = app.demo().show(&cuid).await.body;
    assert!(fields.iter().all(|field| shown[*field] == "fr"), "{shown}");
}

#[tokio::test]
async fn both_spellings_of_app_credentials_in_the_query_string_are_the_same_names() {
    let app = TestApp::start().await;
    let (key, token) = (&app.demo.app.superkey, &app.demo.app.supertoken);
    let get = async |query: String| app.nobody().get(&format!("/customer?{query}")).await;
    assert_eq!(get(format!("superKey={key}&superToken={token}")).await.status, 200);
    assert_eq!(get(format!("superkey={key}&superToken={token}")).await.status, 200);
    let twice = get(format!("superkey={key}&superKey={key}&supertoken={token}")).await;
    twice.assert_error(400, "repeated_credential", "A credential was sent more than once.");
}
