//! Who may call a server of this machine: programs, but no web page of elsewhere.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

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

/// Refuses everything that is not a program on this machine: it connects from here, the `Host` is loopback, and there is
/// no `Origin`. A page of ours that only reads is such a program too.
///
/// # Errors
/// The answer to such a request.
pub fn loopback_program(peer: SocketAddr, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let ours = is_loopback(peer, headers) && !headers.contains_key(header::ORIGIN);
    if ours { Ok(()) } else { Err(Box::new(forbidden())) }
}

/// Refuses everything that does not come from this machine, and what a page of elsewhere has made a browser of it send.
///
/// # Errors
/// The answer to such a request.
pub fn this_machine(peer: SocketAddr, headers: &HeaderMap) -> Result<(), Box<Response>> {
    if is_loopback(peer, headers) { not_a_foreign_page(headers) } else { Err(Box::new(forbidden())) }
}

/// Refuses everything but a page that was served here, to a browser on this machine: what changes something comes with the
/// `Origin` of the address that it is sent to.
///
/// # Errors
/// The answer to such a request.
pub fn own_page(peer: SocketAddr, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let ours = is_loopback(peer, headers) && headers.contains_key(header::ORIGIN);
    if ours { not_a_foreign_page(headers) } else { Err(Box::new(refusal("Only a page of this system may call this."))) }
}

/// Anybody can write a `Host`, so it counts only beside the address that the request came from: a name that somebody's
/// DNS points here is none of ours, and neither is a neighbour in the network.
fn is_loopback(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let name = host_name(text(headers, header::HOST).unwrap_or_default());
    let host = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host && peer.ip().to_canonical().is_loopback()
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
    refusal("Only programs on this machine may call this.")
}

fn refusal(message: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{loopback_program, not_a_foreign_page, own_page};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    fn from(peer: &str) -> SocketAddr {
        SocketAddr::new(peer.parse().unwrap(), 50_000)
    }

    #[test]
    fn invoking_is_for_loopback_programs() {
        let called = |peer: &str, pairs: &[(&'static str, &'static str)]| loopback_program(from(peer), &headers(pairs));
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            for host in ["127.0.0.1:9000", "[::1]:9000", "localhost:9000"] {
                assert!(called(peer, &[("host", host)]).is_ok(), "{peer} {host}");
                assert!(called(peer, &[("host", host), ("origin", "http://localhost:9000")]).is_err());
            }
        }
        for host in ["192.168.0.7:9000", "evil.example:9000", "localhost.evil.example", ""] {
            assert!(called("127.0.0.1", &[("host", host)]).is_err(), "{host}");
        }
        assert!(called("127.0.0.1", &[]).is_err());
        for peer in ["192.168.0.8", "::ffff:192.168.0.8", "fe80::1"] {
            assert!(called(peer, &[("host", "localhost:9000")]).is_err(), "a neighbour writes any Host");
        }
    }

    #[test]
    fn what_changes_something_comes_from_a_page_of_ours() {
        let called = |peer: &str, host: &'static str, origin: &'static str| {
            own_page(from(peer), &headers(&[("host", host), ("origin", origin)]))
        };
        assert!(called("127.0.0.1", "localhost:9000", "http://localhost:9000").is_ok());
        assert!(called("127.0.0.1", "localhost:9000", "http://localhost:9001").is_err());
        assert!(called("127.0.0.1", "localhost:9000", "null").is_err());
        assert!(called("127.0.0.1", "evil.example:9000", "http://evil.example:9000").is_err());
        assert!(called("192.168.0.8", "localhost:9000", "http://localhost:9000").is_err());
        assert!(own_page(from("127.0.0.1"), &headers(&[("host", "localhost:9000")])).is_err());
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
