//! The partner's site of the examples, with the demo's credentials, for browsers of this machine.

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use partner_site::{Settings, Times};

use crate::{demo::Demo, guard};

/// The site, and the platform under `/platform`, with the template's `times`.
///
/// # Errors
/// An HTTP client that cannot be built.
pub fn router(api: &str, demo: &Demo, times: Times) -> reqwest::Result<Router> {
    let site = partner_site::router(Settings {
        api: api.to_owned(),
        app: demo.app.clone(),
        platform: demo.platform.clone(),
        times,
        inspector: Some(format!("{api}/inspector/#")),
    })?;
    Ok(site.layer(middleware::from_fn(async |request: Request, next: Next| -> Response {
        match guard::not_a_foreign_page(request.headers()) {
            Ok(()) => next.run(request).await,
            Err(refusal) => *refusal,
        }
    })))
}
