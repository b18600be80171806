//! The event of an HTTP API, payload format 2.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    body::Bytes,
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use url::form_urlencoded;

use super::routes::{Matched, decode};
use crate::{
    ids,
    template::ACCOUNT,
    time::{access_log, now_ms},
};

/// The event. What is absent is left out, as API Gateway leaves it out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    version: &'static str,
    route_key: String,
    raw_path: String,
    raw_query_string: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: String,
    domain_prefix: String,
    http: Http,
    request_id: String,
    route_key: String,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    path: String,
    protocol: String,
    source_ip: String,
    user_agent: String,
}

/// The event for a request that came from `peer` and goes to `matched`.
pub fn event(request_id: &str, parts: &Parts, body: &Bytes, peer: SocketAddr, matched: Matched<'_>) -> Event {
    let query = parts.uri.query().unwrap_or_default();
    let mut headers = joined(&parts.headers);
    let cookies = headers.remove("cookie").into_iter().flat_map(|all| split_cookies(&all)).collect();
    let source_ip = peer.ip().to_string();
    let through = headers.get("x-forwarded-for").map(|earlier| format!("{earlier}, {source_ip}"));
    headers.insert("x-forwarded-for".to_owned(), through.unwrap_or_else(|| source_ip.clone()));
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert("x-amzn-trace-id".to_owned(), ids::trace_id());
    let host = headers.get("host").map_or("localhost", String::as_str);
    let domain_name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
    let path = decode(parts.uri.path());
    let now = now_ms();
    let (body, is_base64_encoded) = encode_body(&parts.headers, body);
    Event {
        version: "2.0",
        route_key: matched.route_key.to_owned(),
        raw_path: path.clone(),
        raw_query_string: query.to_owned(),
        cookies,
        query_string_parameters: parameters(query),
        request_context: RequestContext {
            account_id: ACCOUNT,
            api_id: "local",
            domain_prefix: domain_name.split('.').next().unwrap_or_default().to_owned(),
            domain_name,
            http: Http {
                method: parts.method.to_string(),
                path,
                protocol: format!("{:?}", parts.version),
                source_ip,
                user_agent: headers.get("user-agent").cloned().unwrap_or_default(),
            },
            request_id: request_id.to_owned(),
            route_key: matched.route_key.to_owned(),
            stage: "$default",
            time: access_log(now),
            time_epoch: now,
        },
        path_parameters: matched.variables,
        headers,
        body,
        is_base64_encoded,
    }
}

/// Header names in lower case; the values of a repeated one joined with a comma.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        // Cookies have a separator of their own.
        let separator = if *name == header::COOKIE { "; " } else { "," };
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|earlier| {
                earlier.push_str(separator);
                earlier.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    joined
}

fn split_cookies(all: &str) -> Vec<String> {
    all.split(';').map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty()).collect()
}

/// The query's parameters, decoded; the values of a repeated one joined with a comma.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|earlier| {
                earlier.push(',');
                earlier.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    parameters
}

/// The body as the event holds it, and whether it is in base64: so it is unless its type says that it is text.
fn encode_body(headers: &HeaderMap, body: &Bytes) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let text = content_type.is_none_or(|content_type| is_text(&content_type));
    match std::str::from_utf8(body) {
        Ok(body) if text => (Some(body.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::{body::Bytes, http::Request};
    use serde_json::{Value, json};

    use super::{Matched, event};

    fn event_of(request: Request<&'static [u8]>) -> Value {
        let (parts, body) = request.into_parts();
        let variables = BTreeMap::from_iter([("identifier".to_owned(), "a@b".to_owned())]);
        let matched = Matched { route_key: "GET /customer/{identifier}", function: "get", variables };
        let peer = ([127, 0, 0, 1], 5000).into();
        serde_json::to_value(event("id=", &parts, &Bytes::from_static(body), peer, matched)).unwrap()
    }

    #[test]
    fn a_request_becomes_the_event_of_payload_2() {
        let request = Request::builder()
            .uri("/customer/a%40b?x=1&x=2&y=a%20b+c&z")
            .header("Host", "127.0.0.1:9000")
            .header("X-Access-Superkey", "one")
            .header("x-access-superkey", "two")
            .header("Cookie", "a=1; b=2")
            .header("User-Agent", "test");
        let mut event = event_of(request.body(&b""[..]).unwrap());
        let context = event["requestContext"].take();
        assert_eq!(event["rawPath"], "/customer/a@b");
        assert_eq!(event["rawQueryString"], "x=1&x=2&y=a%20b+c&z");
        assert_eq!(event["queryStringParameters"], json!({"x": "1,2", "y": "a b c", "z": ""}));
        assert_eq!(event["headers"]["x-access-superkey"], "one,two");
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert!(event["headers"].get("cookie").is_none());
        assert_eq!(event["pathParameters"], json!({"identifier": "a@b"}));
        assert!(event.get("body").is_none());
        assert_eq!(context["http"]["path"], "/customer/a@b");
        assert_eq!(context["http"]["protocol"], "HTTP/1.1");
        assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
        assert_eq!(context["domainName"], "127.0.0.1");
        assert_eq!(context["requestId"], "id=");
        assert_eq!(context["stage"], "$default");
    }

    #[test]
    fn a_body_that_is_not_text_is_in_base64() {
        let body = |kind: &str, body: &'static [u8]| {
            let event = event_of(Request::builder().uri("/").header("content-type", kind).body(body).unwrap());
            (event["body"].clone(), event["isBase64Encoded"].clone())
        };
        assert_eq!(body("application/json; charset=utf-8", b"{}"), (json!("{}"), json!(false)));
        assert_eq!(body("application/x-www-form-urlencoded", b"a=b"), (json!("YT1i"), json!(true)));
        assert_eq!(body("application/json", b"\xff"), (json!("/w=="), json!(true)));
    }
}
