//! The Lambda Runtime API of one process: what it asks becomes an [`Event`] for whoever supervises the process.

use std::time::SystemTime;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

/// What a process asks of the Runtime API.
pub enum Event {
    /// The next invocation, please.
    Next(oneshot::Sender<Delivery>),
    /// The end of the invocation with this id.
    Done { request_id: String, end: End, accepted: oneshot::Sender<StatusCode> },
    /// It could not start; the body says why.
    InitError(Bytes),
}

/// How an invocation ended.
pub enum End {
    Reply(Bytes),
    Error(Bytes),
}

/// An invocation on its way into the process.
pub struct Delivery {
    pub request_id: String,
    pub function_arn: String,
    pub deadline: SystemTime,
    pub payload: Bytes,
}

type Events = mpsc::UnboundedSender<Event>;

/// The API; its events go to `events`.
pub fn router(events: Events) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        // Whether a reply is too large is the supervisor's to say.
        .layer(DefaultBodyLimit::disable())
        .with_state(events)
}

async fn next(State(events): State<Events>) -> Response {
    let (sender, delivered) = oneshot::channel();
    if events.send(Event::Next(sender)).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Ok(delivery) = delivered.await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let deadline = delivery.deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", delivery.request_id),
        ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", delivery.function_arn),
        ("Lambda-Runtime-Trace-Id", crate::ids::trace_id()),
        ("Content-Type", "application/json".to_owned()),
    ];
    (headers, delivery.payload).into_response()
}

async fn response(State(events): State<Events>, Path(id): Path<String>, body: Bytes) -> Response {
    done(&events, id, End::Reply(body)).await
}

async fn error(State(events): State<Events>, Path(id): Path<String>, body: Bytes) -> Response {
    done(&events, id, End::Error(body)).await
}

async fn done(events: &Events, request_id: String, end: End) -> Response {
    let (sender, accepted) = oneshot::channel();
    let sent = events.send(Event::Done { request_id, end, accepted: sender });
    let status = match sent {
        Ok(()) => accepted.await.unwrap_or(StatusCode::BAD_REQUEST),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    (status, Json(json!({ "status": status.canonical_reason() }))).into_response()
}

async fn init_error(State(events): State<Events>, body: Bytes) -> StatusCode {
    // Nobody listening means that the process is being ended already.
    let _ = events.send(Event::InitError(body));
    StatusCode::ACCEPTED
}
