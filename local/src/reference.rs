//! The API reference as a page, under `/docs/` of the API's address: `openapi.yaml`, drawn by swagger-ui.

use crate::{guard, handout::Handout};
use axum::{
    Json, Router,
    extract::ConnectInfo,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use serde_json::json;
use std::net::SocketAddr;

/// The one server of the description that the page shows: whatever system serves the page.
const SERVERS: &str = "servers:\n  - url: /\n    description: The system that serves this page.\n";
/// The page fetches nothing from elsewhere. swagger-ui styles its elements itself, and has its icons as `data:`.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and what it needs. Its addresses are relative, so that the same files work on any host. Here it begins with
/// the credentials of the demo, as soon as they are handed out.
pub fn router<S: Clone + Send + Sync + 'static>(handout: Handout) -> Router<S> {
    let description = with_own_server(include_str!("../../openapi.yaml"));
    Router::new()
        .route("/docs", get(Redirect::temporary("/docs/")))
        .route("/docs/", file("text/html; charset=utf-8", include_str!("../assets/swagger-ui/index.html")))
        .route("/docs/page.js", file("text/javascript", include_str!("../assets/swagger-ui/page.js")))
        .route("/docs/page.css", file("text/css", include_str!("../assets/swagger-ui/page.css")))
        .route("/docs/swagger-ui.css", file("text/css", include_str!("../assets/swagger-ui/swagger-ui.css")))
        .route(
            "/docs/swagger-ui-bundle.js",
            file("text/javascript", include_str!("../assets/swagger-ui/swagger-ui-bundle.js")),
        )
        .route("/docs/openapi.yaml", file("application/yaml", description))
        .route("/docs/demo.json", get(async move |ConnectInfo(peer), headers| credentials(peer, &headers, &handout)))
}

/// The description with `SERVERS` in place of its own servers.
fn with_own_server(description: &str) -> String {
    let mut ours = String::with_capacity(description.len());
    let mut among_servers = false;
    for line in description.split_inclusive('\n') {
        // A top-level key begins where a line does.
        if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
            among_servers = line.trim_end() == "servers:";
            ours += if among_servers { SERVERS } else { "" };
        }
        ours += if among_servers { "" } else { line };
    }
    ours
}

fn credentials(peer: SocketAddr, headers: &HeaderMap, handout: &Handout) -> Response {
    if let Err(refusal) = guard::loopback_program(peer, headers) {
        return *refusal;
    }
    let handout = handout.get();
    if handout.is_null() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let demo = json!({ "app": handout["app"], "platform": handout["platform"] });
    ([(header::CACHE_CONTROL, "no-store")], Json(demo)).into_response()
}

fn file<S: Clone + Send + Sync + 'static>(kind: &'static str, text: impl Into<axum::body::Bytes>) -> MethodRouter<S> {
    let text = text.into();
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
    get(async move || (headers, text).into_response())
}
