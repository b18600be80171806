//! The gateway and the processes behind it, against what API Gateway and Lambda do.

use std::time::{Duration, Instant};

use local::system::System;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{client, probes};

async fn get(system: &System, path: &str) -> Response {
    client().get(format!("{}{path}", system.api)).send().await.unwrap()
}

async fn event_of(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json::<Value>().await.unwrap()["event"].take()
}

async fn assert_own_answer(response: Response, status: u16, message: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": message }));
}

/// Sends bytes as they are and returns what comes back until the connection ends.
async fn raw(system: &System, request: &str) -> String {
    let mut stream = TcpStream::connect(system.api.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_identifier_is_decoded_once() {
    let system = probes(|_| {}).await;
    for (sent, decoded) in [
        ("ada%40example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.com"),
        ("a%2Bb%2540c", "a+b%40c"),
        ("a+b", "a+b"),
        ("a%2Fb", "a/b"),
        ("a%0D%0Ab", "a\r\nb"),
        ("%C3%A9", "é"),
    ] {
        let event = event_of(get(&system, &format!("/customer/{sent}")).await).await;
        assert_eq!(event["pathParameters"], json!({ "identifier": decoded }), "{sent}");
        assert_eq!(event["routeKey"], "GET /customer/{identifier}");
        assert_eq!(event["rawPath"], format!("/customer/{decoded}"));
    }
}

#[tokio::test]
async fn repeated_headers_and_parameters_are_joined_with_a_comma() {
    let system = probes(|_| {}).await;
    let request = client().get(format!("{}/customer/x?a=1&b=%20&a=2", system.api));
    let response = request.header("X-Access-Key", "one").header("x-access-KEY", "two").send().await.unwrap();
    let event = event_of(response).await;
    assert_eq!(event["headers"]["x-access-key"], "one,two");
    assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": " " }));
    assert_eq!(event["rawQueryString"], "a=1&b=%20&a=2");
}

#[tokio::test]
async fn other_paths_and_methods_go_to_the_default_route() {
    let system = probes(|_| {}).await;
    for (method, path) in [
        (Method::GET, "/customer/"),
        (Method::GET, "/customer/x/"),
        (Method::GET, "/"),
        (Method::DELETE, "/customer/x"),
        (Method::OPTIONS, "/customer/x"),
    ] {
        let response = client().request(method.clone(), format!("{}{path}", system.api)).send().await.unwrap();
        let event = event_of(response).await;
        assert_eq!(event["routeKey"], "$default", "{method} {path}");
        assert_eq!(event["requestContext"]["http"]["method"], method.as_str());
        assert!(event.get("pathParameters").is_none());
    }
    let response = client().head(format!("{}/customer/x", system.api)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn request_line_and_headers_may_have_10240_bytes() {
    let system = probes(|_| {}).await;
    let request = |size: usize| {
        let rest = "GET /customer/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-fill: \r\n".len();
        let fill = "a".repeat(size - rest);
        format!("GET /customer/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-fill: {fill}\r\n\r\n")
    };
    assert!(raw(&system, &request(10_240)).await.starts_with("HTTP/1.1 200 "));
    let refused = raw(&system, &request(10_241)).await;
    assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
    assert!(refused.ends_with(r#"{"message":"Request Header Fields Too Large"}"#), "{refused}");
}

#[tokio::test]
async fn many_short_headers_are_counted_like_few_long_ones() {
    let system = probes(|_| {}).await;
    let headers = |count: usize| "a: b\r\n".repeat(count);
    let request = |count| format!("GET /customer/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\r\n", headers(count));
    assert!(raw(&system, &request(1000)).await.starts_with("HTTP/1.1 200 "));
    let refused = raw(&system, &request(2000)).await;
    assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
    assert!(refused.ends_with(r#"{"message":"Request Header Fields Too Large"}"#), "{refused}");
}

#[tokio::test]
async fn what_is_no_proper_request_is_refused_and_calls_nothing() {
    let system = probes(|_| {}).await;
    let (head, close) = ("POST /post HTTP/1.1\r\n", "connection: close\r\n");
    for request in [
        format!("{head}{close}\r\n"),
        format!("{head}host: a\r\nhost: b\r\n{close}\r\n"),
        format!("{head}host: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
    ] {
        let refused = raw(&system, &request).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "{request}: {refused}");
        assert!(refused.ends_with(r#"{"message":"Bad Request"}"#), "{refused}");
    }
    // A body that ends before it should.
    let mut stream = TcpStream::connect(system.api.trim_start_matches("http://")).await.unwrap();
    stream.write_all(format!("{head}host: a\r\ncontent-length: 9\r\n\r\nabc").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with(r#"{"message":"Bad Request"}"#), "{answer}");
    assert!(system.logs.lines().is_empty(), "no process was started");
}

#[tokio::test]
async fn a_body_reaches_the_function_up_to_lambdas_limit() {
    let system = probes(|_| {}).await;
    let post = |body: Vec<u8>, kind: &'static str| {
        client().post(format!("{}/post", system.api)).header("content-type", kind).body(body).send()
    };
    let event = event_of(post(b"{\"a\":1}".to_vec(), "application/json").await.unwrap()).await;
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"a\":1}"), &json!(false)));
    let event = event_of(post(b"\xff\xfe".to_vec(), "application/octet-stream").await.unwrap()).await;
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("//4="), &json!(true)));
    let large = post(vec![b' '; 6 * 1024 * 1024], "text/plain").await.unwrap();
    assert_own_answer(large, 413, "Request Entity Too Large").await;
}

#[tokio::test]
async fn a_function_that_exits_costs_its_own_request_a_500_and_starts_again() {
    let system = probes(|options| options.concurrency = 1).await;
    let process = |response: Value| response["context"]["process"].clone();
    let before = process(get(&system, "/customer/x").await.json().await.unwrap());
    assert_own_answer(get(&system, "/customer/x?do=exit").await, 500, "Internal Server Error").await;
    let after = process(get(&system, "/customer/x").await.json().await.unwrap());
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_function_past_its_timeout_is_killed_and_starts_again() {
    let system = probes(|options| options.concurrency = 1).await;
    let started = Instant::now();
    assert_own_answer(get(&system, "/hasty?sleep=20000").await, 500, "Internal Server Error").await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(get(&system, "/hasty").await.status(), 200);
    assert!(system.logs.lines().iter().any(|line| line.text.contains("Task timed out after 1.00 seconds")));
}

#[tokio::test]
async fn calls_beyond_the_processes_queue_without_running_out_of_time() {
    let system = probes(|options| options.concurrency = 1).await;
    // Each takes most of the timeout of one second, so the last waits longer than that.
    let calls = (0..3).map(|_| get(&system, "/hasty?sleep=700"));
    for response in futures::future::join_all(calls).await {
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn a_function_that_does_not_start_costs_its_own_request_a_500() {
    let system = probes(|_| {}).await;
    assert_own_answer(get(&system, "/broken").await, 500, "Internal Server Error").await;
    assert_eq!(get(&system, "/customer/x").await.status(), 200);
    let why = system.warm().await.unwrap_err().to_string();
    assert_eq!(why, "the function broken does not start: no such table");
}

#[tokio::test]
async fn a_reply_may_have_lambdas_6_mb() {
    let system = probes(|_| {}).await;
    // `reply` is the envelope itself, 18 bytes of JSON; the rest is filled with spaces.
    let reply = |pad: usize| format!("/customer/x?reply=%7B%22statusCode%22%3A202%7D&pad={pad}");
    assert_eq!(get(&system, &reply(6_291_556 - 18)).await.status(), 202);
    assert_own_answer(get(&system, &reply(6_291_557 - 18)).await, 500, "Internal Server Error").await;
}

#[tokio::test]
async fn a_function_error_is_a_500_without_its_text() {
    let system = probes(|_| {}).await;
    assert_own_answer(get(&system, "/customer/x?do=error").await, 500, "Internal Server Error").await;
}

#[tokio::test]
async fn the_limit_of_each_route_is_enforced_on_request() {
    let unlimited = probes(|_| {}).await;
    let limited = probes(|options| options.throttle = true).await;
    for (system, passing) in [(&unlimited, 5), (&limited, 2)] {
        let calls = (0..5).map(|_| get(system, "/limited"));
        let answers = futures::future::join_all(calls).await;
        let passed = answers.iter().filter(|answer| answer.status() == StatusCode::OK).count();
        assert_eq!(passed, passing);
    }
    assert_own_answer(get(&limited, "/limited").await, 429, "Too Many Requests").await;
    assert_eq!(get(&limited, "/customer/x").await.status(), 200, "another route has a bucket of its own");
}

#[tokio::test]
async fn a_function_sees_the_environment_that_lambda_gives_it() {
    let mine = ("FROM_TEMPLATE".to_owned(), "option".to_owned());
    let system = probes(|options| options.environment.extend([mine])).await;
    let response: Value = get(&system, "/customer/x?do=environment").await.json().await.unwrap();
    let environment = response["context"]["environment"].as_array().unwrap();
    let variable = |name: &str| environment.iter().find(|pair| pair[0] == name).map(|pair| pair[1].clone());
    assert_eq!(variable("FROM_TEMPLATE"), Some("option".into()), "--env wins over the template");
    assert_eq!(variable("ITEMS_TABLE"), Some("Items".into()));
    assert_eq!(variable("AWS_LAMBDA_FUNCTION_NAME"), Some("probe".into()));
    assert_eq!(variable("AWS_ENDPOINT_URL_DYNAMODB"), Some(system.backends.dynamodb.clone().into()));
    assert_eq!(variable("HOME"), None, "the environment of the developer stays outside");
    assert_eq!(response["context"]["arn"], "arn:aws:lambda:eu-west-1:123456789012:function:probe");
    let deadline: u128 = response["context"]["deadline"].as_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(deadline > now && deadline <= now + 5000);
}

#[tokio::test]
async fn a_system_that_is_dropped_leaves_no_process() {
    let system = probes(|_| {}).await;
    let kept_open = client();
    let url = format!("{}/customer/x", system.api);
    let response: Value = kept_open.get(&url).send().await.unwrap().json().await.unwrap();
    let process = format!("/proc/{}", response["context"]["process"]);
    assert!(std::path::Path::new(&process).exists());
    drop(system);
    let started = Instant::now();
    while std::path::Path::new(&process).exists() {
        assert!(started.elapsed() < Duration::from_secs(5), "the process goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(kept_open.get(&url).send().await.is_err(), "nobody listens any more");
}

#[tokio::test]
#[ignore = "takes API Gateway's 30 seconds"]
async fn api_gateway_waits_for_30_seconds() {
    let patient = include_str!("probe.yaml").replace("Timeout: 5", "Timeout: 60");
    let system = probes(|options| options.template = patient).await;
    let started = Instant::now();
    assert_own_answer(get(&system, "/customer/x?sleep=40000").await, 503, "Service Unavailable").await;
    assert!(started.elapsed() >= Duration::from_secs(30));
}
