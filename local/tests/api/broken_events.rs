//! Events that no gateway sends: a clean answer, and a process that goes on.

use serde_json::{Value, json};

use crate::support::TestApp;

/// An event of `GET /customer/{identifier}` with one thing wrong.
fn event(change: impl FnOnce(&mut Value)) -> Value {
    let path = "/customer/nobody";
    let http =
        json!({ "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x" });
    let route = "GET /customer/{identifier}";
    let context = json!({
        "accountId": "1", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api", "http": http,
        "requestId": "id=", "routeKey": route, "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1,
    });
    let mut event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": { "host": "api.example.com" },
        "requestContext": context, "pathParameters": { "identifier": "nobody" }, "isBase64Encoded": false,
    });
    change(&mut event);
    event
}

#[tokio::test]
async fn nothing_of_a_caller_has_to_be_part_of_a_uri() {
    let app = TestApp::start().await;
    let host = |host: &str| event(|event| event["headers"]["host"] = host.into());
    for event in [
        host("not a host"),
        host("a:b"),
        host("a:99999"),
        host("[::1"),
        host("<script>"),
        host("%"),
        host(""),
        event(|event| event["headers"]["x-forwarded-proto"] = "no scheme".into()),
        event(|event| event["requestContext"]["domainName"] = "no name:x".into()),
        event(|event| event["rawPath"] = "*".into()),
        event(|event| event["rawPath"] = "no path\u{0}".into()),
        event(|event| event["rawPath"] = "//a:b".into()),
        event(|event| event["rawQueryString"] = "a=b c\"<>#\u{e9}\u{1}".into()),
    ] {
        for function in ["get-customer", "create-customer", "redeem-ticket", "list-customers"] {
            let answer = app.invoke(function, &event).await.unwrap();
            let expected = if function == "list-customers" { 404 } else { 403 };
            assert_eq!(answer["statusCode"], expected, "{function} {event}: {answer}");
        }
    }
    let key = &app.demo.app.superkey;
    let odd = event(|event| event["rawQueryString"] = format!("x=<>&superkey={key}&superkey={key}").into());
    let answer = app.invoke("get-customer", &odd).await.unwrap();
    assert!(answer["body"].as_str().unwrap().contains("repeated_credential"), "the query is read: {answer}");
}

#[tokio::test]
async fn an_event_that_no_gateway_sends_costs_its_own_call_at_most() {
    // One process a function: one that died would have to be started anew, and its log line would say `cold` again.
    let app = TestApp::start_with(|options| options.concurrency = 1).await;
    let broken: Vec<Value> = vec![
        event(|event| event["pathParameters"] = json!({})),
        event(|event| event["rawQueryString"] = "a=b c\"<>".into()),
        event(|event| event["rawQueryString"] = "%%%=%ff&&&==".into()),
        event(|event| event["rawPath"] = "no path\u{0}".into()),
        event(|event| event["headers"]["host"] = "not a host\u{7f}".into()),
        event(|event| event["headers"]["x-access-superkey"] = "k".repeat(1_000_000).into()),
        event(|event| event["headers"]["x-access-superkey"] = "ä\u{1}".into()),
        event(|event| {
            event["body"] = "no base64!".into();
            event["isBase64Encoded"] = true.into();
        }),
        event(|event| event["requestContext"] = json!({})),
        event(|event| event["requestContext"]["http"]["method"] = "NO METHOD".into()),
        event(|event| event["version"] = "1.0".into()),
        json!({}),
        json!(null),
        json!([1, 2, 3]),
        json!("text"),
    ];
    for function in ["get-customer", "create-customer", "redeem-ticket", "list-customers", "auth", "operator"] {
        for event in &broken {
            match app.invoke(function, event).await {
                Ok(answer) => {
                    let status = answer["statusCode"].as_u64().unwrap();
                    assert!((400..=500).contains(&status), "{function}: {answer}");
                    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                    assert!(body["code"].is_string() && body["message"].is_string(), "{function}: {answer}");
                }
                // What the gateway makes a 500 of.
                Err(error) => assert!(error["errorType"].is_string(), "{function}: {error}"),
            }
        }
    }
    let starts = |function: &str| {
        let lines = app.system.logs.lines();
        lines.iter().filter(|line| line.function == function && line.text.contains("\"cold\":true")).count()
    };
    assert!(app.demo().create("ada@example.com").await.status == 201);
    for function in ["get-customer", "create-customer", "redeem-ticket", "list-customers", "auth"] {
        assert!(starts(function) <= 1, "{function} died");
    }
}
