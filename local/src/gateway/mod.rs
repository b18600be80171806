//! The HTTP API, as API Gateway would answer for it; on the same address the Lambda Invoke API, the API's reference and the
//! pages that show what the system does.

mod event;
mod http_api;
mod invoke;
mod reply;
mod routes;
mod throttle;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{Method, header},
    response::Response,
    routing::{any, post},
};
pub use http_api::{Gateway, Pools};
pub(crate) use invoke::deliver;

/// The API as a service, with `pages` beside it, which may call it, and `home` at the root for a browser.
pub fn router(api: Gateway, pages: impl FnOnce(Router) -> Router, home: fn() -> Response) -> Router {
    let api = Arc::new(api);
    let alone = Router::new().fallback(http_api::handle).with_state(Arc::clone(&api));
    let root = async move |state: State<Arc<Gateway>>, peer: ConnectInfo<SocketAddr>, request: Request| {
        if for_a_browser(&request) { home() } else { http_api::handle(state, peer, request).await }
    };
    Router::new()
        .route("/", any(root))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke::invoke).fallback(invoke::unsupported))
        .route("/2015-03-31/{*call}", any(invoke::unsupported))
        .fallback(http_api::handle)
        .layer(DefaultBodyLimit::max(http_api::BODY_LIMIT))
        .with_state(api)
        .merge(pages(alone))
}

/// Whether somebody has typed the address into a browser. The API has no route there, and says so to everybody else.
fn for_a_browser(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    request.method() == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}
