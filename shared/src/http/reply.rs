//! The one place that gives an error its status, code and message, and every reply its headers.

use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::json;

use super::{Reply, with_header};
use crate::{Error, Result, error::Causes};

pub(super) fn json(status: u16, body: String) -> Reply {
    let mut reply = Response::new(Body::Text(body));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    reply
}

/// Gives every reply the headers that all of them have, and an error its body. A cause is logged here, once.
pub(super) fn finish(result: Result<Reply>, request_id: &str) -> Reply {
    let mut reply = result.unwrap_or_else(|error| {
        if let Error::Failed { step, source } = &error {
            tracing::error!(request_id, step, cause = %Causes(&**source), "failed");
        }
        refusal(&error, request_id)
    });
    let headers = reply.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

fn refusal(error: &Error, request_id: &str) -> Reply {
    let (status, code, message) = words(error);
    let mut body = json!({ "message": message, "code": code, "request_id": request_id });
    match error {
        Error::CustomerExists { cuid } => body["cuid"] = cuid.as_str().into(),
        Error::Invalid(violations) => {
            body["errors"] = violations.iter().map(|it| json!({ "field": it.field, "message": it.message })).collect();
        }
        _ => {}
    }
    let reply = json(status, body.to_string());
    match error {
        Error::TooManyMails { retry_after } => with_header(reply, "retry-after", &super::retry_after(*retry_after)),
        _ => reply,
    }
}

/// The stable `code` of an error.
pub(super) fn code(error: &Error) -> &'static str {
    words(error).1
}

/// Status, code and message of each error, as `openapi.yaml` lists them. Callers branch on status and code, and the
/// platform has published most of the messages: none of them changes.
fn words(error: &Error) -> (u16, &'static str, &'static str) {
    match error {
        Error::MissingKey => (403, "missing_key", "Missing key"),
        Error::MissingToken => (403, "missing_token", "Missing token"),
        Error::NoMatchingKey => (404, "no_matching_key", "No matching key"),
        Error::InvalidToken => (403, "invalid_token", "Invalid token"),
        Error::NotAllowed => (401, "not_allowed", "User not allowed for API access."),
        Error::QueryCredentials => (
            400,
            "query_credentials_refused",
            "Credentials are not accepted in the query string. Send them as headers.",
        ),
        Error::RepeatedCredential => (400, "repeated_credential", "A credential was sent more than once."),
        Error::Invalid(_) => (400, "invalid_request", "The request is not valid."),
        Error::BodyTooLarge => (413, "body_too_large", "The body is larger than 16 KiB."),
        Error::UserNotFound => (404, "user_not_found", "User not found."),
        Error::CustomerExists { .. } => (409, "customer_exists", "A customer with this address exists already."),
        Error::IdempotencyKeyReused => {
            (422, "idempotency_key_reused", "This Idempotency-Key was sent with other fields before.")
        }
        Error::MissingPasscode => (400, "missing_passcode", "Missing passcode"),
        Error::InvalidPasscode => (401, "invalid_passcode", "Expired or invalid passcode."),
        Error::InvalidTicket => (401, "invalid_ticket", "Expired or invalid ticket."),
        Error::TooManyMails { .. } => (429, "too_many_mails", "Too many passcodes were mailed. Try again later."),
        Error::MailUndeliverable => (422, "mail_undeliverable", "Mail does not reach this customer's address."),
        Error::RouteNotFound => (404, "route_not_found", "Not found."),
        Error::Failed { step, .. } => (500, "internal_error", step),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_dependency_said_never_reaches_the_caller() {
        let error = Error::Failed { step: "The customer could not be read. Try again later.", source: "secret".into() };
        let reply = finish(Err(error), "r-1");
        assert_eq!(reply.status(), 500);
        assert_eq!(
            reply.body(),
            &Body::Text(
                r#"{"code":"internal_error","message":"The customer could not be read. Try again later.","request_id":"r-1"}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn every_reply_is_kept_out_of_caches_and_referrers() {
        for result in [Ok(super::super::redirect("https://example.com/")), Err(Error::RouteNotFound)] {
            let reply = finish(result, "r-1");
            assert_eq!(reply.headers()["cache-control"], "no-store");
            assert_eq!(reply.headers()["referrer-policy"], "no-referrer");
        }
    }

    #[test]
    fn waiting_as_long_as_retry_after_says_is_enough() {
        assert_eq!(super::super::retry_after(Duration::from_millis(1)), "1");
        assert_eq!(super::super::retry_after(Duration::from_secs(30)), "30");
    }
}
