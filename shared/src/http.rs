//! HTTP as the functions see it: one call in, one shape of reply out.

mod call;
mod reply;

use std::{future::Future, time::Duration};

pub use call::Call;
use lambda_http::{Body, Request, Response, service_fn};

use crate::Store;

/// The largest body that a call may have, in bytes.
pub const MAX_BODY: usize = 16 * 1024;

/// A reply before the headers that all of them carry.
pub type Reply = Response<Body>;

/// A reply with this status and `body` as JSON.
#[must_use]
pub fn json(status: u16, body: &impl serde::Serialize) -> Reply {
    reply::json(status, serde_json::to_string(body).unwrap_or_default())
}

/// A reply with this status and a body that is JSON already.
#[must_use]
pub fn raw_json(status: u16, body: String) -> Reply {
    reply::json(status, body)
}

/// Sets a header of a reply. A value that no header can hold is left out: callers pass what they made themselves.
#[must_use]
pub fn with_header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = value.parse() {
        reply.headers_mut().insert(name, value);
    } else {
        tracing::error!(header = name, "a header's value cannot be sent");
    }
    reply
}

/// The value of `Retry-After`: whole seconds, rounded up, so that whoever waits that long need not wait again.
#[must_use]
pub fn retry_after(wait: Duration) -> String {
    wait.as_millis().div_ceil(1000).to_string()
}

/// A reply without a body that sends the browser to `location`.
#[must_use]
pub fn redirect(location: &str) -> Reply {
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = lambda_http::http::StatusCode::FOUND;
    with_header(reply, "location", location)
}

/// Answers calls for as long as Lambda sends them: warms the connection up during init, then hands each event to
/// `handle`.
///
/// # Errors
/// When the Lambda Runtime API cannot be reached.
pub async fn serve<F, Fut>(store: &Store, handle: F) -> Result<(), lambda_http::Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Reply> + Send,
{
    store.warm_up().await;
    let handle = &handle;
    lambda_http::run(service_fn(async move |request| Ok::<_, std::convert::Infallible>(handle(request).await))).await
}
