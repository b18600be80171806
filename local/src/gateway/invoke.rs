//! The Lambda Invoke API, for `aws lambda invoke --endpoint-url` and `cargo lambda invoke`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, Path, Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::http_api::{EVENT_LIMIT, Gateway};
use crate::{
    guard, ids,
    mailbox::Told,
    requests::{Direction, Record, Reply, Requests, Text},
    runtime::{Outcome, Pool, Running},
};

/// The query string of a call.
#[derive(Deserialize)]
pub struct Parameters {
    /// An alias of the function, where its name does not end in one.
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

/// Calls any function, the ones without a route too. It stands in for IAM rights, so only programs on this machine
/// may use it.
pub async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(function): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    if let Err(refusal) = guard::loopback_program(peer, &headers) {
        return *refusal;
    }
    // An ARN names the function as well, and either may end in a qualifier.
    let called = function.split_once(":function:").map_or(function.as_str(), |(_, name)| name);
    let (name, qualifier) = called.split_once(':').map_or((called, None), |(name, alias)| (name, Some(alias)));
    let qualifier = qualifier.or(query.qualifier.as_deref());
    let pool = gateway.functions.get(name).filter(|pool| qualifier.is_none_or(|qualifier| pool.has(qualifier)));
    let Some(pool) = pool else {
        let message = format!("Function not found: {called}");
        return refuse(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message);
    };
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    let event: Value = match serde_json::from_slice(&payload) {
        Ok(event) => event,
        Err(error) => {
            let message = format!("Could not parse request body into json: {error}");
            return refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
        }
    };
    if payload.len() > EVENT_LIMIT {
        let message = format!("Request must be smaller than {EVENT_LIMIT} bytes");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
    }
    let kind = headers.get("x-amz-invocation-type").map_or(&b""[..], |kind| kind.as_bytes());
    if kind == b"DryRun" {
        return StatusCode::NO_CONTENT.into_response();
    }
    let id = ids::uuid();
    let route = [name, event["command"].as_str().unwrap_or_default()].join(" ").trim_end().to_owned();
    let record = Record { direction: Direction::Invoke, route, ..record(&function, id.clone(), &payload, &headers) };
    begin(&gateway.requests, name, record, &payload);
    let running = pool.invoke(payload, qualifier, id.clone(), None);
    if kind == b"Event" {
        let (gateway, name) = (Arc::clone(&gateway), name.to_owned());
        tokio::spawn(async move { answered(&gateway.requests, &name, running, id).await });
        return StatusCode::ACCEPTED.into_response();
    }
    answered(&gateway.requests, name, running, id).await
}

/// Gives a function an event of `EventBridge`'s, which is a request like any other, and waits for its end.
pub async fn deliver(requests: &Requests, name: &str, pool: &Pool, told: Told) {
    let Told { request_id, event } = told;
    let payload = Bytes::from(event.to_string());
    let headers = HeaderMap::new();
    let record = Record { direction: Direction::Event, ..record(name, request_id.clone(), &payload, &headers) };
    begin(requests, name, record, &payload);
    let running = pool.invoke(payload, None, request_id.clone(), None);
    answered(requests, name, running, request_id).await;
}

/// The record of a call of this function with this event, as it can be repeated over the Lambda Invoke API.
fn record(function: &str, id: String, payload: &[u8], headers: &HeaderMap) -> Record {
    let target = format!("/2015-03-31/functions/{function}/invocations");
    Record { route: function.to_owned(), body: Text::of(payload), ..Record::new(id, "POST", &target, headers) }
}

fn begin(requests: &Requests, name: &str, record: Record, payload: &[u8]) {
    let id = record.id.clone();
    requests.begin(record);
    requests.event(&id, name, payload);
}

/// The end of a call of the function `name`.
async fn answered(requests: &Requests, name: &str, running: Running, id: String) -> Response {
    let outcome = running.outcome().await;
    let headers = [("x-amzn-requestid", id.clone()), ("x-amz-executed-version", "$LATEST".into())];
    let note = outcome.in_plain_words(name);
    let response = match outcome {
        Outcome::Reply(reply) => (headers, json_body(reply)).into_response(),
        Outcome::Failed(error) => (headers, [("x-amz-function-error", "Unhandled")], json_body(error)).into_response(),
    };
    let (response, reply) = Reply::of(response).await;
    requests.end(&id, Reply { note, ..reply });
    response
}

/// Lambda's answer to a call that it does not know.
pub async fn unsupported(method: Method, uri: Uri) -> Response {
    let message = format!("The local system knows no call of Lambda but Invoke: {method} {}", uri.path());
    refuse(StatusCode::NOT_FOUND, "UnknownOperationException", &message)
}

fn json_body(body: Bytes) -> impl IntoResponse {
    ([("content-type", "application/json")], body)
}

fn refuse(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({ "Type": "User", "Message": message }))).into_response()
}
