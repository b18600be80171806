//! The HTTP API, as API Gateway would answer for it; on the same address the Lambda Invoke API and the API's reference.

mod event;
mod invoke;
mod reply;
mod routes;
mod throttle;

use crate::{
    demo::Demo,
    ids, reference,
    runtime::{Outcome, Pool},
    servers,
    template::Template,
};
use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
    routing::{any, post},
};
use routes::Routes;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use throttle::Throttle;

/// Request line and headers at most, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const HEAD_LIMIT: usize = 10_240;
/// A body at most, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// An event at most, in bytes: Lambda's own limit on a synchronous call.
const EVENT_LIMIT: usize = 6 * 1024 * 1024;
/// How long API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// Every function by its name.
pub type Pools = BTreeMap<String, Pool>;

/// The HTTP API.
pub struct Gateway {
    routes: Routes,
    throttle: Option<Throttle>,
    functions: Arc<Pools>,
}

impl Gateway {
    /// The API of `template`, its limit enforced if `throttled`.
    ///
    /// # Errors
    /// Routes that contradict each other.
    pub fn new(template: &Template, functions: Arc<Pools>, throttled: bool) -> Result<Self> {
        let throttle = template.limit.filter(|_| throttled).map(Throttle::new);
        Ok(Self { routes: Routes::new(&template.functions)?, throttle, functions })
    }

    /// The API as a service, whose reference begins with the credentials of `demo`.
    pub fn router(self, demo: Arc<OnceLock<Demo>>) -> Router {
        Router::new()
            .route("/2015-03-31/functions/{function}/invocations", post(invoke::invoke).fallback(invoke::unsupported))
            .route("/2015-03-31/{*call}", any(invoke::unsupported))
            .merge(reference::router(demo))
            .fallback(handle)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(Arc::new(self))
    }

    async fn answer(&self, request_id: &str, parts: &Parts, body: Body, peer: SocketAddr) -> Response {
        if head_size(parts) > HEAD_LIMIT {
            return reply::own(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
        }
        if parts.headers.get_all(header::HOST).iter().count() != 1 {
            return reply::own(StatusCode::BAD_REQUEST, "Bad Request");
        }
        let Some(matched) = self.routes.find(parts.method.as_str(), parts.uri.path()) else {
            return reply::own(StatusCode::NOT_FOUND, "Not Found");
        };
        let throttle = self.throttle.as_ref();
        if throttle.is_some_and(|throttle| !throttle.admits(matched.route_key, Instant::now())) {
            return reply::own(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        }
        let body = match to_bytes(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(unread) => return unreadable(servers::refusal_of(&unread)),
        };
        let Some(function) = self.functions.get(matched.function) else { return reply::internal_error() };
        let event = event::event(request_id, parts, &body, peer, matched);
        let Ok(event) = serde_json::to_vec(&event) else { return reply::internal_error() };
        if event.len() > EVENT_LIMIT {
            return unreadable(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let running = function.invoke(Bytes::from(event), None, Some(request_id.to_owned()));
        match running.outcome_within(INTEGRATION_LIMIT).await {
            Some(Outcome::Reply(reply)) => reply::response(&reply),
            Some(Outcome::Failed(_)) => reply::internal_error(),
            None => reply::own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

fn unreadable(status: StatusCode) -> Response {
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::REQUEST_TIMEOUT => "Request Timeout",
        _ => "Bad Request",
    };
    reply::own(status, reason)
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let request_id = ids::api_request_id();
    let (parts, body) = request.into_parts();
    let mut response = gateway.answer(&request_id, &parts, body, peer).await;
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("apigw-requestid"), id);
    }
    response
}

/// The size of the request line and the headers as they came, in bytes.
fn head_size(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + headers.sum::<usize>()
}
