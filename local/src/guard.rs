//! Who may call a server of this machine: programs, but no web page of elsewhere.

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::net::IpAddr;

/// Names by which containers reach the machine that they run on.
const HOST_NAMES: [&str; 3] = ["host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

/// Refuses a request that a web page could have made a browser send: one with another `Origin`, or one under a name
/// that somebody's DNS may have pointed here.
///
/// # Errors
/// The answer to such a request.
pub fn not_a_foreign_page(headers: &HeaderMap) -> Result<(), Box<Response>> {
    let host = text(headers, header::HOST).unwrap_or_default();
    let name = host_name(host);
    let ours = name == "localhost" || name.parse::<IpAddr>().is_ok() || HOST_NAMES.contains(&name);
    let foreign = text(headers, header::ORIGIN).is_some_and(|origin| {
        origin.split_once("://").is_none_or(|(_, origin_host)| !origin_host.eq_ignore_ascii_case(host))
    });
    if ours && !foreign { Ok(()) } else { Err(Box::new(forbidden())) }
}

/// Refuses everything that is not a program on this machine: the `Host` is loopback and there is no `Origin`.
///
/// # Errors
/// The answer to such a request.
pub fn loopback_program(headers: &HeaderMap) -> Result<(), Box<Response>> {
    let name = host_name(text(headers, header::HOST).unwrap_or_default());
    let loopback = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if loopback && !headers.contains_key(header::ORIGIN) { Ok(()) } else { Err(Box::new(forbidden())) }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("not text"))
}

/// A `Host` without its port and an IPv6 address's brackets.
fn host_name(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "message": "Only programs on this machine may call this." }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::{loopback_program, not_a_foreign_page};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn invoking_is_for_loopback_programs() {
        assert!(loopback_program(&headers(&[("host", "127.0.0.1:9000")])).is_ok());
        assert!(loopback_program(&headers(&[("host", "[::1]:9000")])).is_ok());
        assert!(loopback_program(&headers(&[("host", "localhost:9000")])).is_ok());
        assert!(loopback_program(&headers(&[("host", "192.168.0.7:9000")])).is_err());
        assert!(loopback_program(&headers(&[("host", "evil.example:9000")])).is_err());
        assert!(loopback_program(&headers(&[])).is_err());
        let with_origin = [("host", "localhost:9000"), ("origin", "http://localhost:9000")];
        assert!(loopback_program(&headers(&with_origin)).is_err());
    }

    #[test]
    fn a_page_may_call_only_where_it_comes_from() {
        let own = [("host", "127.0.0.1:9001"), ("origin", "http://127.0.0.1:9001")];
        assert!(not_a_foreign_page(&headers(&own)).is_ok());
        let foreign = [("host", "127.0.0.1:9001"), ("origin", "https://evil.example")];
        assert!(not_a_foreign_page(&headers(&foreign)).is_err());
        assert!(not_a_foreign_page(&headers(&[("host", "rebound.example:9001")])).is_err());
        assert!(not_a_foreign_page(&headers(&[("host", "host.docker.internal:9002")])).is_ok());
    }
}
