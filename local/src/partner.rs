//! The partner's site of the examples, with the demo's credentials, for browsers of this machine.

use crate::{demo::Demo, guard};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use std::time::Duration;

/// The site, and the platform under `/platform`. Codes are good for `code_lifetime`.
///
/// # Errors
/// An HTTP client that cannot be built.
pub fn router(api: &str, demo: &Demo, code_lifetime: Duration) -> reqwest::Result<Router> {
    let site = partner_site::router(api, demo.app.clone(), demo.platform.clone(), code_lifetime)?;
    Ok(site.layer(middleware::from_fn(async |request: Request, next: Next| -> Response {
        match guard::not_a_foreign_page(request.headers()) {
            Ok(()) => next.run(request).await,
            Err(refusal) => *refusal,
        }
    })))
}
