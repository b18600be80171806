//! From a request to the function behind its route, and back.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};

use super::{event, reply, routes::Routes, throttle::Throttle};
use crate::{
    faults::{self, Faults},
    ids,
    requests::{Record, Reply, Requests},
    runtime::{Outcome, Pool},
    servers,
    template::Template,
};

/// Request line and headers at most, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const HEAD_LIMIT: usize = 10_240;
/// A body at most, in bytes.
pub(super) const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// An event at most, in bytes: Lambda's own limit on a synchronous call.
pub(super) const EVENT_LIMIT: usize = 6 * 1024 * 1024;
/// How long API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// Every function by its name.
pub type Pools = BTreeMap<String, Pool>;

/// The HTTP API.
pub struct Gateway {
    routes: Routes,
    throttle: Option<Throttle>,
    pub(super) functions: Arc<Pools>,
    pub(super) requests: Requests,
    faults: Faults,
}

/// An answer, and what is to be said of it in plain words.
type Answer = (Response, Option<String>);

impl Gateway {
    /// The API of `template`; what it is asked is recorded in `requests`, and a reply may be lost by `faults`.
    ///
    /// # Errors
    /// Routes that contradict each other.
    pub fn new(template: &Template, functions: Arc<Pools>, requests: Requests, faults: Faults) -> Result<Self> {
        Ok(Self { routes: Routes::new(&template.functions)?, throttle: None, functions, requests, faults })
    }

    /// It with the limit of `template` enforced.
    #[must_use]
    pub fn throttled(self, template: &Template) -> Self {
        Self { throttle: template.limit.map(Throttle::new), ..self }
    }

    async fn answer(&self, mut record: Record, parts: &Parts, body: Body, peer: SocketAddr) -> Answer {
        let id = record.id.clone();
        let refuse = |record: Record, status: StatusCode, message: &str, note: &str| {
            self.requests.begin(record);
            (reply::own(status, message), Some(format!("{note}; no function was called")))
        };
        if head_size(parts) > HEAD_LIMIT {
            let note = format!("request line and headers have more than {HEAD_LIMIT} bytes");
            return refuse(
                record,
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
                &note,
            );
        }
        if parts.headers.get_all(header::HOST).iter().count() != 1 {
            return refuse(record, StatusCode::BAD_REQUEST, "Bad Request", "there is not one Host");
        }
        let Some(matched) = self.routes.find(parts.method.as_str(), parts.uri.path()) else {
            return refuse(record, StatusCode::NOT_FOUND, "Not Found", "no route takes it");
        };
        matched.route_key.clone_into(&mut record.route);
        if matched.route_key == "$default" {
            record.route = format!("{} $default", parts.method);
        }
        let throttle = self.throttle.as_ref();
        if throttle.is_some_and(|throttle| !throttle.admits(matched.route_key, Instant::now())) {
            let note = "throttled: over the limit of this route (DefaultRouteSettings)";
            return refuse(record, StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", note);
        }
        let body = match to_bytes(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(unread) => {
                let (status, reason) = unreadable(servers::refusal_of(&unread));
                return refuse(record, status, reason, "the body could not be read");
            }
        };
        record.body = crate::requests::Text::of(&body);
        self.requests.begin(record);
        let Some(function) = self.functions.get(matched.function) else { return (reply::internal_error(), None) };
        let name = matched.function.to_owned();
        let event = event::event(&id, parts, &body, peer, matched);
        let Ok(event) = serde_json::to_vec(&event) else { return (reply::internal_error(), None) };
        if event.len() > EVENT_LIMIT {
            let note = format!("the event would have more than {EVENT_LIMIT} bytes; no function was called");
            let (status, reason) = unreadable(StatusCode::PAYLOAD_TOO_LARGE);
            return (reply::own(status, reason), Some(note));
        }
        self.requests.event(&id, &name, &event);
        let running = function.invoke(Bytes::from(event), None, ids::uuid(), Some(id));
        match running.outcome_within(INTEGRATION_LIMIT).await {
            Some(Outcome::Reply(reply)) => (reply::response(&reply), None),
            Some(failed) => (reply::internal_error(), failed.in_plain_words(&name)),
            None => {
                let note =
                    format!("{name} goes on after {} s, longer than a caller waits", INTEGRATION_LIMIT.as_secs());
                (reply::own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"), Some(note))
            }
        }
    }
}

/// What the gateway says of a body that it has not read.
fn unreadable(status: StatusCode) -> (StatusCode, &'static str) {
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::REQUEST_TIMEOUT => "Request Timeout",
        _ => "Bad Request",
    };
    (status, reason)
}

/// Answers a request of the API.
pub(super) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let id = ids::api_request_id();
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("*", |target| target.as_str());
    let record = Record::new(id.clone(), parts.method.as_str(), target, &parts.headers);
    let (mut response, note) = gateway.answer(record, &parts, body, peer).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("apigw-requestid"), id);
    }
    let (response, reply) = Reply::of(response).await;
    if gateway.faults.takes_reply() {
        let note = Some("made to go wrong: the reply was lost on its way to the caller".to_owned());
        gateway.requests.end(&id, Reply { status: 0, note, ..reply });
        return faults::cut();
    }
    gateway.requests.end(&id, Reply { note, ..reply });
    response
}

/// The size of the request line and the headers as they came, in bytes.
fn head_size(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + headers.sum::<usize>()
}
