//! The mail address: SES for the functions, and the mailbox for people, tests and the page.
//!
//! - `POST /v2/email/outbound-emails`, `DELETE /v2/email/suppression/addresses/{address}`: SES v2's `SendEmail` and
//!   `DeleteSuppressedDestination`; its calls for identities and tenants are in [`super::management`]
//! - `GET /messages?to=ADDRESS`, `GET /messages/{id}`, `DELETE /messages`, `DELETE /messages/{id}`
//! - `GET /messages/{id}/html`, `GET /messages/{id}/source`: the mail as a page of its own, and as it goes out
//! - `GET /`: the page; `GET /rows` is its list, and `GET /events` has a server-sent `message` for each
//!   [`Change`]

use std::convert::Infallible;

use async_stream::stream;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{MethodRouter, any, delete as on_delete, get, post},
};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::{
    Change, Mail, Mailbox,
    account::Refusal,
    management::{self, respond},
    ses, source,
};
use crate::{
    calls::{Call, Calls, Made},
    faults::{Attempt, Faults},
    guard,
    iam::{self, Denied, Need, Policies},
};

/// The page has what comes from here and no more, and is in nobody's frame.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                           frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A mail is a stranger's page: it has pictures and styles, and neither scripts nor an origin. Only the mailbox frames it.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'self'";

/// The mailbox, and who may do what with it.
#[derive(Clone)]
pub(super) struct Office {
    pub(super) mailbox: Mailbox,
    calls: Calls,
    policies: Policies,
    faults: Faults,
}

/// The mail address as a service.
pub fn router(mailbox: Mailbox, calls: Calls, policies: Policies, faults: Faults) -> Router {
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("../../assets/mailbox/index.html")))
        .route("/page.css", file("text/css", include_str!("../../assets/mailbox/page.css")))
        .route("/page.js", file("text/javascript", include_str!("../../assets/mailbox/page.js")))
        .route("/rows", get(rows))
        .route("/events", get(events))
        .route("/messages", get(list).delete(clear))
        .route("/messages/{id}", get(show).delete(delete))
        .route("/messages/{id}/html", get(show_html))
        .route("/messages/{id}/source", get(show_source))
        .route("/v2/email/outbound-emails", post(send).fallback(unsupported))
        .route("/v2/email/suppression/addresses/{address}", on_delete(allow))
        .merge(management::routes())
        .route("/v2/{*call}", any(unsupported))
        .layer(middleware::from_fn(keep_out))
        .with_state(Office { mailbox, calls, policies, faults })
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter<Office> {
    get(async move || ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], text))
}

async fn keep_out(request: Request, next: Next) -> Response {
    match guard::not_a_foreign_page(request.headers()) {
        Ok(()) => {
            let nosniff = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::CACHE_CONTROL, "no-store")];
            (nosniff, next.run(request).await).into_response()
        }
        Err(refusal) => *refusal,
    }
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn list(State(office): State<Office>, Query(filter): Query<Filter>) -> Response {
    // A `+` that was not percent-encoded arrives as a space, and no address has a space.
    let address = filter.to.map(|address| address.replace(' ', "+"));
    Json(office.mailbox.mails(address.as_deref())).into_response()
}

async fn rows(State(office): State<Office>) -> Response {
    Json(office.mailbox.rows()).into_response()
}

async fn show(State(office): State<Office>, Path(id): Path<String>) -> Response {
    match office.mailbox.mail(&id) {
        Some(mail) => Json(mail).into_response(),
        None => not_found(),
    }
}

async fn show_html(State(office): State<Office>, Path(id): Path<String>) -> Response {
    let shown = |mail: Mail| {
        let headers =
            [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, MAIL_POLICY)];
        (headers, mail.html).into_response()
    };
    office.mailbox.mail(&id).map_or_else(not_found, shown)
}

async fn show_source(State(office): State<Office>, Path(id): Path<String>) -> Response {
    office.mailbox.mail(&id).map_or_else(not_found, |mail| source::of(&mail).into_response())
}

async fn clear(State(office): State<Office>) -> StatusCode {
    office.mailbox.clear();
    StatusCode::NO_CONTENT
}

async fn delete(State(office): State<Office>, Path(id): Path<String>) -> Response {
    if office.mailbox.delete(&id) { StatusCode::NO_CONTENT.into_response() } else { not_found() }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "message": "There is no such message." }))).into_response()
}

async fn events(State(office): State<Office>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = office.mailbox.changes.subscribe();
    let events = stream! {
        loop {
            let change = match changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::Much,
                Err(RecvError::Closed) => return,
            };
            yield Ok(Event::default().event("message").json_data(change).unwrap_or_default());
        }
    };
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn send(State(office): State<Office>, headers: HeaderMap, body: Bytes) -> Response {
    let request = serde_json::from_slice(&body).unwrap_or_default();
    let needs = iam::ses_needs(&request);
    let action = Action { name: "SendEmail", request: &request, needs: &needs };
    office.call(&headers, &body, action, async { take_in(&office.mailbox, &body) }).await
}

async fn allow(State(office): State<Office>, headers: HeaderMap, Path(address): Path<String>) -> Response {
    let needs = iam::ses_without_resource("ses:DeleteSuppressedDestination");
    let action = Action { name: "DeleteSuppressedDestination", request: &Value::Null, needs: &needs };
    let removed = async {
        if office.mailbox.outcomes.allow(&address) {
            Json(json!({})).into_response()
        } else {
            refusal(StatusCode::NOT_FOUND, "NotFoundException", "The address is not on the suppression list.")
        }
    };
    // The address stands in the path.
    let request = Bytes::from(json!({ "EmailAddress": address }).to_string());
    office.call(&headers, &request, action, removed).await
}

/// A call of SES's.
pub(super) struct Action<'a> {
    pub(super) name: &'static str,
    pub(super) request: &'a Value,
    pub(super) needs: &'a [Need],
}

impl Office {
    /// Makes a call if the caller may, with what is to go wrong, and notes it.
    pub(super) async fn call(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        action: Action<'_>,
        effect: impl Future<Output = Response>,
    ) -> Response {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let caller = self.calls.caller(authorization);
        let started = self.calls.now();
        let Action { name, request, needs } = action;
        let (made, allowed_by) = match self.policies.check(caller.function.as_deref(), needs) {
            Ok(allowed_by) => {
                let attempt = Attempt { caller: &caller, action: name, request, tables: &[] };
                (self.faults.around(attempt, effect).await, allowed_by)
            }
            Err(Denied(message)) => {
                let answer = refusal(StatusCode::FORBIDDEN, "AccessDeniedException", &message);
                (Made { answer, fault: None, cut: false }, Vec::new())
            }
        };
        let call = Call {
            function: caller.function,
            request_id: caller.request_id,
            service: "ses",
            action: name.to_owned(),
            tables: Vec::new(),
            started,
            ended: self.calls.now(),
            status: if made.cut { 0 } else { made.answer.status().as_u16() },
        };
        self.calls.note(call, body, made, allowed_by).await
    }
}

fn take_in(mailbox: &Mailbox, body: &[u8]) -> Response {
    let refused = |message| Refusal(StatusCode::BAD_REQUEST, "BadRequestException", message);
    respond(ses::parse(body).map_err(refused).and_then(|parts| {
        mailbox.account.check(ses::bare(&parts.from), &parts.configuration_set, parts.tenant.as_deref())?;
        Ok(ses::accepted(&mailbox.add(parts)))
    }))
}

/// SES's answer to a call that it does not know.
async fn unsupported(method: Method, uri: Uri) -> Response {
    let message = format!("The local system does not know this call of SES: {method} {}", uri.path());
    refusal(StatusCode::NOT_FOUND, "UnknownOperationException", &message)
}

/// SES's answer to a call that it refuses.
fn refusal(status: StatusCode, kind: &'static str, message: &str) -> Response {
    respond(Err(Refusal(status, kind, message.to_owned())))
}
