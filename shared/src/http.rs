//! HTTP as the functions see it: one call in, one shape of reply out.
//!
//! A function is an [`Endpoint`]; [`serve`] runs it, and [`answer`] does what every request needs.

mod call;
mod event;
mod reply;

use std::{convert::Infallible, future::Future, time::Duration};

use aws_config::SdkConfig;
pub use call::Call;
use lambda_http::{Adapter, Body, Request, Response, Service, service_fn};

use crate::{Result, Store, audit, error::During, sdk};

/// The largest body that a call may have, in bytes.
pub const MAX_BODY: usize = 16 * 1024;

/// A reply before the headers that all of them carry.
pub type Reply = Response<Body>;

/// A reply with this status and `body` as JSON.
///
/// # Errors
/// [`crate::Error::Failed`] where it cannot be written as JSON.
pub fn json(status: u16, body: &impl serde::Serialize) -> Result<Reply> {
    let body = serde_json::to_string(body).during("The answer could not be written. Try again later.")?;
    Ok(raw_json(status, body))
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

/// A reply that says no more than that it is done.
#[must_use]
pub fn no_content() -> Reply {
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = lambda_http::http::StatusCode::NO_CONTENT;
    reply
}

/// A reply without a body that sends the browser to `location`.
#[must_use]
pub fn redirect(location: &str) -> Reply {
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = lambda_http::http::StatusCode::FOUND;
    with_header(reply, "location", location)
}

/// A function behind the API: what it works with, and how it answers.
pub trait Endpoint: Send + Sync {
    /// The tables that it uses.
    fn store(&self) -> &Store;

    /// Answers one call: authenticate, parse, act, respond.
    fn respond(&self, call: &Call) -> impl Future<Output = Result<Reply>> + Send;
}

/// Answers one request: the call's result gets its one shape, and its line in the log.
pub async fn answer(endpoint: &impl Endpoint, request: Request) -> Reply {
    let call = Call::new(request);
    let result = endpoint.respond(&call).await;
    call.answer(result, endpoint.store())
}

/// Runs a function for as long as Lambda sends requests. `crate_name` names it in the log; `from_env` reads its settings.
///
/// # Errors
/// When a setting is missing, or the Lambda Runtime API cannot be reached.
pub async fn serve<E: Endpoint>(
    crate_name: &str,
    from_env: impl FnOnce(&SdkConfig) -> Result<E, lambda_http::Error>,
) -> Result<(), lambda_http::Error> {
    audit::init(crate_name);
    let endpoint = from_env(&sdk::load().await?)?;
    // During init, so that the first caller need not wait for the connection.
    endpoint.store().warm_up().await;
    let endpoint = &endpoint;
    let mut adapter =
        Adapter::from(service_fn(async move |request| Ok::<_, Infallible>(answer(endpoint, request).await)));
    // As `lambda_http::run` does it, but for the look at the event.
    lambda_runtime::run(service_fn(move |event| adapter.call(event::with_a_uri(event)))).await
}
