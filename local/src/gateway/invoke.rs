//! The Lambda Invoke API, for `aws lambda invoke --endpoint-url` and `cargo lambda invoke`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use super::Gateway;
use crate::{guard, runtime::Outcome};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

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
    Path(function): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    if let Err(refusal) = guard::loopback_program(&headers) {
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
    if let Err(error) = serde_json::from_slice::<Value>(&payload) {
        let message = format!("Could not parse request body into json: {error}");
        return refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
    }
    if payload.len() > super::EVENT_LIMIT {
        let message = format!("Request must be smaller than {} bytes", super::EVENT_LIMIT);
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
    }
    match headers.get("x-amz-invocation-type").map_or(&b""[..], |kind| kind.as_bytes()) {
        b"DryRun" => StatusCode::NO_CONTENT.into_response(),
        b"Event" => {
            drop(pool.invoke(payload, qualifier, None));
            StatusCode::ACCEPTED.into_response()
        }
        _ => {
            let running = pool.invoke(payload, qualifier, None);
            let id = [("x-amzn-requestid", running.request_id.clone()), ("x-amz-executed-version", "$LATEST".into())];
            match running.outcome().await {
                Outcome::Reply(reply) => (id, json_body(reply)).into_response(),
                Outcome::Failed(error) => {
                    (id, [("x-amz-function-error", "Unhandled")], json_body(error)).into_response()
                }
            }
        }
    }
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
