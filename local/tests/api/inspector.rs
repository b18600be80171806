//! The home page and the inspector: what they tell, to whom, and what they let go wrong.

use std::{collections::BTreeSet, time::Duration};

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{TestApp, client, passcode_in, request_id};

const EMAIL: &str = "ada@example.com";

/// What the inspector answers this machine.
async fn ask(app: &TestApp, path: &str) -> Value {
    let answer = client().get(format!("{}/inspector/{path}", app.api)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// What it answers a page of its own that wants something done.
async fn tell(app: &TestApp, path: &str, body: &Value) -> Response {
    let api = &app.api;
    client().post(format!("{api}/inspector/{path}")).header("origin", api).json(body).send().await.unwrap()
}

async fn story(app: &TestApp, id: &str, query: &str) -> Value {
    ask(app, &format!("requests/{id}{query}")).await
}

/// Creates a customer and has a passcode mailed; returns the id of the second request.
async fn send_passcode(app: &TestApp) -> String {
    let customer = json!({ "company": "Analytical Engines", "email": EMAIL });
    assert_eq!(app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap().status(), 201);
    let sent = app.app_request(Method::GET, &format!("/customer/{EMAIL}/passcode")).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    request_id(&sent).to_owned()
}

#[tokio::test]
async fn the_root_is_a_page_for_a_browser_and_no_route_for_anybody_else() {
    let app = TestApp::start().await;
    let html = app.request(Method::GET, "/").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = html.send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let text = page.text().await.unwrap();
    for secret in [&app.demo.app.supertoken, &app.demo.platform.platformtoken] {
        assert!(!text.contains(secret.as_str()), "credentials come on request");
    }
    for request in [
        app.request(Method::GET, "/"),
        app.request(Method::GET, "/").header("accept", "application/json"),
        app.request(Method::POST, "/").header("accept", "text/html"),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 404);
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], "route_not_found");
    }
}

#[tokio::test]
async fn the_handout_has_addresses_and_credentials_for_this_machine() {
    let app = TestApp::start().await;
    let handout = ask(&app, "handout").await;
    assert_eq!(handout["app"]["superkey"], app.demo.app.superkey);
    assert_eq!(handout["platform"]["platformtoken"], app.demo.platform.platformtoken);
    let functions = ask(&app, "functions").await;
    let crates = std::fs::read_dir(local::binaries::project_root().unwrap().join("functions")).unwrap();
    let crates = crates.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let crates: BTreeSet<String> = crates.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(functions.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), crates);
    assert!(functions["operator"]["calls"].as_u64().unwrap() >= 2, "the demo was made by it");
    assert_eq!(functions["operator"]["failures"], 0);
}

#[tokio::test]
async fn a_request_has_its_whole_story() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let story = story(&app, &id, "").await;
    assert_eq!(story["route"], "GET /customer/{identifier}/passcode");
    assert_eq!(story["target"], format!("/customer/{EMAIL}/passcode"));
    assert_eq!(story["function"], "send-passcode");
    assert_eq!(story["cold"], true);
    assert_eq!(story["answer"]["status"], 200);
    let event: Value = serde_json::from_str(story["event"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(event["routeKey"], story["route"]);
    assert!(story["taken_ms"].as_f64().unwrap() <= story["replied_ms"].as_f64().unwrap());

    let calls = story["calls"].as_array().unwrap();
    let recorded = app.system.backends.calls.of_request(&id);
    let actions: Vec<_> = calls.iter().map(|call| call["action"].as_str().unwrap()).collect();
    assert_eq!(actions, recorded.iter().map(|call| call.action.as_str()).collect::<Vec<_>>());
    for call in calls {
        assert!(!call["allowed_by"].as_array().unwrap().is_empty(), "{call}");
        assert!(call["allowed_by"].as_array().unwrap().iter().all(|it| it["statement"]["Effect"] == "Allow"));
        assert_eq!(call["fault"], Value::Null);
    }
    let steps: Vec<&Value> = calls.iter().flat_map(|call| call["steps"].as_array().unwrap()).collect();
    let found = |table: &str, found: &str| steps.iter().any(|step| step["table"] == table && step["found"] == found);
    assert!(found("AppsTable", "found") && found("DirectoryTable", "found"), "{steps:#?}");
    assert!(found("PasscodesTable", "written"), "{steps:#?}");
    assert!(steps.iter().any(|step| step["condition"].is_string() && step["writes"].is_string()), "{steps:#?}");
    let mail = calls.iter().find(|call| call["service"] == "ses").unwrap();
    assert_eq!(mail["mail"]["id"], app.mails(Some(EMAIL))[0].id);

    let lines = story["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["text"]["text"].as_str().unwrap().contains("passcode_sent")), "{lines:#?}");
}

#[tokio::test]
async fn secrets_are_hidden_until_they_are_asked_for() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let passcode = passcode_in(&app.mails(Some(EMAIL))[0].text);
    let path = format!("/customer/{EMAIL}/auth?passcode={passcode}");
    let exchanged = app.app_request(Method::GET, &path).send().await.unwrap();
    let exchange = request_id(&exchanged).to_owned();
    let token = exchanged.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let shown_code = format!("{} {}", &passcode[..4], &passcode[4..]);
    for (id, secrets) in [
        (&id, [app.demo.app.supertoken.as_str(), passcode.as_str(), shown_code.as_str()]),
        (&exchange, [app.demo.app.supertoken.as_str(), passcode.as_str(), token.as_str()]),
    ] {
        let hidden = story(&app, id, "").await.to_string();
        let shown = story(&app, id, "?secrets=shown").await.to_string();
        for secret in secrets {
            assert!(!hidden.contains(secret), "{secret} in {hidden}");
        }
        assert!(secrets.iter().filter(|secret| shown.contains(**secret)).count() >= 2, "{shown}");
    }
}

#[tokio::test]
async fn the_operators_commands_and_their_failures_are_rows_too() {
    let app = TestApp::start().await;
    let url = format!("{}/2015-03-31/functions/operator/invocations", app.api);
    let answer = client().post(url).json(&json!({ "command": "show_app", "superkey": "nobody" })).send().await.unwrap();
    let id = answer.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
    let story = story(&app, &id, "").await;
    assert_eq!((&story["direction"], &story["route"]), (&json!("invoke"), &json!("operator show_app")));
    assert!(story["answer"]["note"].as_str().unwrap().starts_with("operator answered with an error: "), "{story}");
    assert!(story["failure"]["text"].as_str().unwrap().contains("errorMessage"));
}

#[tokio::test]
async fn rows_are_told_as_they_change() {
    let app = TestApp::start().await;
    let mut events = client().get(format!("{}/inspector/events", app.api)).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let refused = app.request(Method::GET, "/customer").send().await.unwrap();
    let id = request_id(&refused).to_owned();
    let mut told = String::new();
    let ended = |told: &str| told.lines().any(|line| line.contains(&id) && line.contains("\"status\":403"));
    while !ended(&told) {
        let chunk = tokio::time::timeout(Duration::from_secs(5), events.chunk()).await.unwrap().unwrap();
        told.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    assert!(told.starts_with("event: rows\ndata: ["), "{told}");
    assert!(told.contains("event: row\ndata: {"), "{told}");
}

#[tokio::test]
async fn a_request_is_copied_and_sent_again() {
    let app = TestApp::start().await;
    let customer = json!({ "company": "It's Ltd", "email": EMAIL });
    let created = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    let id = request_id(&created).to_owned();
    let curl = client().get(format!("{}/inspector/requests/{id}/curl", app.api)).send().await.unwrap();
    let curl = curl.text().await.unwrap();
    let output = tokio::process::Command::new("sh").args(["-c", &curl]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("HTTP/1.1 409 "), "{curl}: {output:?}");

    let again: Value = tell(&app, &format!("requests/{id}/again"), &json!({})).await.json().await.unwrap();
    let repeated = story(&app, again["id"].as_str().unwrap(), "").await;
    assert_ne!(again["id"], id);
    assert_eq!((&repeated["answer"]["status"], &repeated["answer"]["code"]), (&json!(409), &json!("customer_exists")));
    let customers = app.tables.items("CustomersTable").unwrap();
    assert_eq!(customers.len(), 1);
}

#[tokio::test]
async fn a_passcode_is_let_expire() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let alive = |story: &Value| {
        let calls = story["calls"].as_array().unwrap().clone();
        let steps = calls.iter().flat_map(|call| call["steps"].as_array().unwrap().clone()).collect::<Vec<_>>();
        steps.into_iter().find(|step| step["alive"] == true)
    };
    let step = alive(&story(&app, &id, "").await).unwrap();
    assert_eq!(step["table"], "PasscodesTable");
    let expired = tell(&app, "expire", &json!({ "table": step["table"], "key": step["item"] })).await;
    assert_eq!(expired.status(), 204);
    assert_eq!(alive(&story(&app, &id, "").await), None);
    let passcode = passcode_in(&app.mails(Some(EMAIL))[0].text);
    let refused = app.app_request(Method::GET, &format!("/customer/{EMAIL}/auth?passcode={passcode}"));
    assert_eq!(refused.send().await.unwrap().status(), 401);

    let app_key = json!({ "id": { "S": app.demo.app.superkey } });
    let before = app.tables.dump().unwrap();
    for body in [
        json!({ "table": "PasscodesTable", "key": { "id": { "S": "nobody" } } }),
        json!({ "table": "AppsTable", "key": app_key }),
        json!({ "table": "NoTable", "key": app_key }),
    ] {
        assert!(tell(&app, "expire", &body).await.status().is_client_error(), "{body}");
    }
    assert_eq!(app.tables.dump().unwrap(), before);
}

#[tokio::test]
async fn a_mail_fails_and_the_story_says_why() {
    let app = TestApp::start().await;
    let customer = json!({ "company": "Mail Ltd", "email": EMAIL });
    app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    let state: Value = tell(&app, "faults", &json!({ "wish": "fail_mail" })).await.json().await.unwrap();
    assert_eq!(state["mails_to_fail"], 1);
    let path = format!("/customer/{EMAIL}/passcode");
    let failed = app.app_request(Method::GET, &path).send().await.unwrap();
    assert!(failed.status().is_server_error() || failed.status() == 422, "{}", failed.status());
    assert!(app.mails(None).is_empty());
    let story = story(&app, request_id(&failed), "").await;
    let mail = story["calls"].as_array().unwrap().iter().find(|call| call["service"] == "ses").unwrap();
    assert_eq!(mail["fault"], "answered with 400, without taking effect");
    let state = ask(&app, "faults").await;
    assert_eq!(state["mails_to_fail"], 0, "once was wished for");
    assert_eq!(app.app_request(Method::GET, &path).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_reply_is_lost_though_the_request_took_effect() {
    let app = TestApp::start().await;
    tell(&app, "faults", &json!({ "wish": "lose_reply" })).await;
    let customer = json!({ "company": "Lost Ltd", "email": EMAIL });
    let lost = app.app_request(Method::POST, "/customer").json(&customer).send().await;
    assert!(match lost {
        Err(_) => true,
        Ok(answer) => answer.bytes().await.is_err(),
    });
    assert_eq!(app.tables.items("CustomersTable").unwrap().len(), 1);
    let again = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    assert_eq!(again.status(), 409);
}

#[tokio::test]
async fn a_table_is_throttled_until_all_is_to_go_well() {
    let app = TestApp::start().await;
    let state = tell(&app, "faults", &json!({ "wish": "throttle", "table": "AppsTable", "on": true })).await;
    assert_eq!(state.json::<Value>().await.unwrap()["throttled"], json!(["AppsTable"]));
    assert_eq!(app.app_request(Method::GET, "/customer").send().await.unwrap().status(), 500);
    tell(&app, "faults", &json!({ "wish": "clear" })).await;
    assert_eq!(app.app_request(Method::GET, "/customer").send().await.unwrap().status(), 200);
    let unknown = tell(&app, "faults", &json!({ "wish": "throttle", "table": "NoTable", "on": true })).await;
    assert_eq!(unknown.status(), 404);
    let nonsense = tell(&app, "faults", &json!({ "wish": "nonsense" })).await;
    assert!(nonsense.status().is_client_error());
    assert_eq!(ask(&app, "faults").await["throttled"], json!([]));
}

#[tokio::test]
async fn a_killed_function_is_told_in_plain_words() {
    let app = TestApp::start().await;
    tell(&app, "faults", &json!({ "wish": "kill" })).await;
    let killed = app.app_request(Method::GET, "/customer").send().await.unwrap();
    assert_eq!(killed.status(), 500);
    let story = story(&app, request_id(&killed), "").await;
    let note = story["answer"]["note"].as_str().unwrap();
    assert_eq!(note, "list-customers ended in the middle of the request (signal: 9 (SIGKILL))");
    assert_eq!(ask(&app, "functions").await["list-customers"]["last_failure"], note);
}

/// The story of a request that nobody waits for.
async fn ended(app: &TestApp, id: &str) -> Value {
    for _ in 0..400 {
        let asked = client().get(format!("{}/inspector/requests/{id}", app.api)).send().await.unwrap();
        let story: Value = asked.json().await.unwrap();
        if story["answer"].is_object() {
            return story;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the request {id} never ends")
}

#[tokio::test]
async fn a_mail_bounces() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let story_of_mail = story(&app, &id, "").await;
    let calls = story_of_mail["calls"].as_array().unwrap();
    let index = calls.iter().position(|call| call["service"] == "ses").unwrap();
    let answer: Value = tell(&app, "bounce", &json!({ "request": id, "call": index })).await.json().await.unwrap();
    let bounced = ended(&app, answer["id"].as_str().unwrap()).await;
    assert_eq!((&bounced["route"], &bounced["direction"]), (&json!("mail-events"), &json!("event")));
    assert_eq!(bounced["reply"]["text"], json!("\"mail_bounced\""));
    let customer = app.tables.items("CustomersTable").unwrap().remove(0);
    assert_eq!(customer["mail_status"]["S"], "bounced");

    let path = format!("/customer/{EMAIL}/passcode");
    let held_back = app.app_request(Method::GET, &path).send().await.unwrap();
    assert_eq!(held_back.status(), 422);
    assert_eq!(app.mails(None).len(), 1);
    let allowed =
        tell(&app, "allow-mail", &json!({ "cuid": customer["cuid"]["S"] })).await.json::<Value>().await.unwrap();
    let allowed = story(&app, allowed["id"].as_str().unwrap(), "").await;
    assert_eq!(allowed["route"], "operator allow_mail");
    let found = allowed["calls"].as_array().unwrap().iter().map(|call| call["steps"][0]["found"].clone());
    assert!(found.into_iter().any(|found| found == "taken off the suppression list"), "{allowed:#}");
    assert_eq!(app.app_request(Method::GET, &path).send().await.unwrap().status(), 200);

    let none = tell(&app, "bounce", &json!({ "request": id, "call": 0 })).await;
    assert_eq!(none.status(), 404);
}

/// Lambda would try it twice again, a minute and two minutes later.
#[tokio::test]
async fn an_event_that_fails_is_not_tried_again_but_can_be_sent_again() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let story_of_mail = story(&app, &id, "").await;
    let calls = story_of_mail["calls"].as_array().unwrap();
    let index = calls.iter().position(|call| call["service"] == "ses").unwrap();
    tell(&app, "faults", &json!({ "wish": "throttle", "table": "DirectoryTable", "on": true })).await;
    let before = app.tables.dump().unwrap();
    let answer: Value = tell(&app, "bounce", &json!({ "request": id, "call": index })).await.json().await.unwrap();
    let id = answer["id"].as_str().unwrap();
    let failed = ended(&app, id).await;
    assert_eq!((&failed["answer"]["status"], &failed["reply"]), (&json!(200), &Value::Null), "{failed:#}");
    assert!(failed["answer"]["code"].is_string(), "{failed:#}");
    assert_eq!(app.tables.dump().unwrap(), before);

    tell(&app, "faults", &json!({ "wish": "clear" })).await;
    assert_eq!(ask(&app, "functions").await["mail-events"]["calls"], 1);
    let again: Value = tell(&app, &format!("requests/{id}/again"), &json!({})).await.json().await.unwrap();
    assert_eq!(story(&app, again["id"].as_str().unwrap(), "").await["reply"]["text"], json!("\"mail_bounced\""));
    let customer = app.tables.items("CustomersTable").unwrap().remove(0);
    assert_eq!(customer["mail_status"]["S"], "bounced");
}

#[tokio::test]
async fn nobody_elsewhere_reads_or_changes_anything() {
    let app = TestApp::start().await;
    let id = send_passcode(&app).await;
    let before = app.tables.dump().unwrap();
    let api = &app.api;
    let own = api.as_str();
    let refused = async |method: Method, path: &str, headers: &[(&str, &str)]| {
        let request = client().request(method.clone(), format!("{api}/inspector/{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.json(&json!({ "wish": "fail_mail" })).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{method} {path} {headers:?}");
    };
    for path in ["handout", "functions", "events", &format!("requests/{id}"), &format!("requests/{id}/curl"), "faults"]
    {
        refused(Method::GET, path, &[("origin", "https://evil.example")]).await;
        refused(Method::GET, path, &[("host", "rebound.example")]).await;
    }
    for path in [&format!("requests/{id}/again"), "faults", "expire", "bounce", "allow-mail"] {
        refused(Method::POST, path, &[]).await;
        refused(Method::POST, path, &[("origin", "https://evil.example")]).await;
        refused(Method::POST, path, &[("origin", "null")]).await;
        refused(Method::POST, path, &[("origin", own), ("host", "rebound.example")]).await;
    }
    assert_eq!(app.tables.dump().unwrap(), before);
    assert_eq!(ask(&app, "faults").await["mails_to_fail"], 0);
    for page in ["", "inspector/"] {
        let request = client().get(format!("{api}/{page}")).header("accept", "text/html");
        let policy = request.send().await.unwrap().headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{policy}");
    }
}

/// A neighbour in the network can write any `Host`.
#[tokio::test]
async fn a_neighbour_is_refused_whatever_host_it_names() {
    let Some(address) = own_address() else { return };
    let app = TestApp::start_with(|options| options.api = "0.0.0.0:0".to_owned()).await;
    let port = app.api.rsplit_once(':').unwrap().1;
    let client = reqwest::Client::builder().no_proxy().local_address(address).build().unwrap();
    let send = async |method: Method, path: &str| {
        let request = client.request(method, format!("http://{address}:{port}{path}"));
        let request = request.header("host", format!("localhost:{port}")).header("x-amz-invocation-type", "Event");
        request.body(r#"{"command": "list_apps"}"#).send().await.unwrap().status()
    };
    let calls = app.system.backends.calls.all().len();
    assert_eq!(send(Method::POST, "/2015-03-31/functions/operator/invocations").await, 403);
    for path in ["/inspector/handout", "/inspector/events", "/docs/demo.json"] {
        assert_eq!(send(Method::GET, path).await, 403, "{path}");
    }
    assert_eq!(app.system.backends.calls.all().len(), calls, "no function was called");
    assert_eq!(send(Method::GET, "/customer").await, 403, "the API itself asks for a key");
}

/// This machine's address in its network, if it has one.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the address of the way there is what is wanted.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
