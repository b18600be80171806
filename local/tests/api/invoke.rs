//! The Lambda Invoke API.

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{client, probes};

async fn invoke(api: &str, function: &str, payload: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = client().post(format!("{api}/2015-03-31/functions/{function}/invocations"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(payload.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn a_function_is_called_with_its_payload() {
    let system = probes(|_| {}).await;
    for name in ["probe", "probe:live", "arn:aws:lambda:eu-west-1:123456789012:function:probe"] {
        let response = invoke(&system.api, name, r#"{"reply": "{\"a\": 1}"}"#, &[]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
        assert!(response.headers().get("x-amz-function-error").is_none());
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "a": 1 }));
    }
}

#[tokio::test]
async fn a_function_error_is_a_200_that_says_so() {
    let system = probes(|_| {}).await;
    for (payload, kind) in [(r#"{"do": "error"}"#, "Probe"), (r#"{"do": "exit"}"#, "Runtime.ExitError")] {
        let response = invoke(&system.api, "probe", payload, &[]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
        assert_eq!(response.json::<Value>().await.unwrap()["errorType"], kind);
    }
}

#[tokio::test]
async fn what_cannot_be_called_is_refused_as_lambda_refuses_it() {
    let system = probes(|_| {}).await;
    let unknown = invoke(&system.api, "nobody", "{}", &[]).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["x-amzn-errortype"], "ResourceNotFoundException");
    let alias = invoke(&system.api, "probe:nobody", "{}", &[]).await;
    assert_eq!(alias.status(), 404);
    assert_eq!(alias.json::<Value>().await.unwrap()["Message"], "Function not found: probe:nobody");
    let broken = invoke(&system.api, "probe", "{", &[]).await;
    assert_eq!(broken.status(), 400);
    assert_eq!(broken.headers()["x-amzn-errortype"], "InvalidRequestContentException");
}

#[tokio::test]
async fn another_call_of_lambda_is_refused_as_lambda_refuses_one_that_it_does_not_know() {
    let system = probes(|_| {}).await;
    for (method, path) in [("GET", "functions/probe"), ("GET", "functions/probe/invocations"), ("POST", "layers")] {
        let url = format!("{}/2015-03-31/{path}", system.api);
        let response = client().request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-amzn-errortype"], "UnknownOperationException");
        let message = format!("The local system knows no call of Lambda but Invoke: {method} /2015-03-31/{path}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "Type": "User", "Message": message }));
    }
    assert!(system.logs.lines().is_empty(), "no process was started");
}

#[tokio::test]
async fn a_web_page_cannot_call_a_function() {
    let system = probes(|_| {}).await;
    for headers in [[("origin", "http://localhost:9000")], [("host", "rebound.example")]] {
        let response = invoke(&system.api, "probe", "{}", &headers).await;
        assert_eq!(response.status(), 403);
        assert_eq!(
            response.json::<Value>().await.unwrap(),
            json!({ "message": "Only programs on this machine may call this." })
        );
    }
    assert!(system.logs.lines().is_empty(), "no process was started");
}
