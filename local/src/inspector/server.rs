//! The pages and what they ask for, all on the API's address:
//!
//! - `GET /` for a browser: the home page
//! - `GET /inspector/`: the inspector
//! - `GET /inspector/handout`, `GET /inspector/functions`: addresses and demo credentials; what each function does
//! - `GET /inspector/events`: server-sent events: a `rows` with every row, and a `row` for each that changes
//! - `GET /inspector/requests/{id}[?secrets=shown]`, `…/curl`: a story, and the request as a line for a shell
//! - `POST /inspector/requests/{id}/again`: the request is sent once more
//! - `GET`, `POST /inspector/faults`: what is to go wrong, and a further wish
//! - `POST /inspector/expire`, `POST /inspector/bounce`, `POST /inspector/allow-mail`: a record's time is over; a mail
//!   comes back; mails to a customer's address are tried again

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use anyhow::Result;
use async_stream::stream;
use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
    response::{
        AppendHeaders, IntoResponse, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{MethodRouter, get, post},
};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::{
    curl, view,
    wishes::{Wish, Wishes},
};
use crate::{
    dynamodb::Tables,
    faults::Faults,
    guard,
    handout::Handout,
    mailbox::Mailbox,
    requests::{Record, Requests, Text},
    time::now_ms,
};

/// The pages fetch nothing from elsewhere, run and style nothing of their own making, and are in nobody's frame.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is inspected.
pub struct Inspected {
    /// The API's URL.
    pub api: String,
    /// The latest requests.
    pub requests: Requests,
    /// Addresses and credentials.
    pub handout: Handout,
    /// What is to go wrong.
    pub faults: Faults,
    /// The tables.
    pub tables: Tables,
    /// The mails.
    pub mailbox: Mailbox,
    /// Every function's name.
    pub functions: Vec<String>,
}

struct Inspector {
    inspected: Inspected,
    wishes: Wishes,
    client: reqwest::Client,
}

type The = State<Arc<Inspector>>;

/// The pages as a service.
///
/// # Errors
/// An HTTP client that cannot be built.
pub fn router(inspected: Inspected) -> Result<Router> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let wishes = Wishes::new(inspected.faults.clone());
    let asked = Router::new()
        .route("/inspector/handout", get(handout))
        .route("/inspector/functions", get(functions))
        .route("/inspector/events", get(events))
        .route("/inspector/requests/{id}", get(story))
        .route("/inspector/requests/{id}/curl", get(as_curl))
        .route("/inspector/requests/{id}/again", post(again))
        .route("/inspector/faults", get(faults).post(wish))
        .route("/inspector/expire", post(expire))
        .route("/inspector/bounce", post(bounce))
        .route("/inspector/allow-mail", post(allow_mail))
        .layer(middleware::from_fn(keep_out))
        .with_state(Arc::new(Inspector { inspected, wishes, client }));
    let (html, script, style) = ("text/html; charset=utf-8", "text/javascript", "text/css");
    let pages = Router::new()
        .route("/inspector", get(Redirect::temporary("/inspector/")))
        .route("/inspector/", file(html, include_str!("../../assets/inspector/inspector.html")))
        .route("/inspector/inspector.js", file(script, include_str!("../../assets/inspector/inspector.js")))
        .route("/inspector/story.js", file(script, include_str!("../../assets/inspector/story.js")))
        .route("/inspector/picture.js", file(script, include_str!("../../assets/inspector/picture.js")))
        .route("/inspector/page.js", file(script, include_str!("../../assets/inspector/page.js")))
        .route("/inspector/home.js", file(script, include_str!("../../assets/inspector/home.js")))
        .route("/inspector/page.css", file(style, include_str!("../../assets/inspector/page.css")));
    Ok(pages.merge(asked).layer(middleware::map_response(async |response: Response| {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (AppendHeaders(headers), response).into_response()
    })))
}

/// The home page.
pub fn home() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, include_str!("../../assets/inspector/home.html")).into_response()
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter {
    get(async move || ([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// What is read is for this machine, what is changed for a page of ours.
async fn keep_out(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    let allowed = match *request.method() {
        Method::GET | Method::HEAD => guard::this_machine(peer, request.headers()),
        _ => guard::own_page(peer, request.headers()),
    };
    match allowed {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    }
}

async fn handout(State(inspector): The) -> Response {
    Json(inspector.inspected.handout.get()).into_response()
}

async fn functions(State(inspector): The) -> Response {
    let states = inspector.inspected.requests.functions.all();
    let of = |name: &String| (name.clone(), json!(states.get(name).cloned().unwrap_or_default()));
    let functions: serde_json::Map<String, Value> = inspector.inspected.functions.iter().map(of).collect();
    Json(functions).into_response()
}

async fn events(State(inspector): The) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let requests = inspector.inspected.requests.clone();
    let events = stream! {
        'anew: loop {
            let (rows, mut changes) = requests.follow();
            yield Ok(Event::default().event("rows").json_data(rows).unwrap_or_default());
            loop {
                match changes.recv().await {
                    Ok(row) => yield Ok(Event::default().event("row").json_data(row).unwrap_or_default()),
                    // Whoever missed some gets all of them again.
                    Err(RecvError::Lagged(_)) => continue 'anew,
                    Err(RecvError::Closed) => return,
                }
            }
        }
    };
    Sse::new(events).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Shown {
    secrets: Option<String>,
}

async fn story(State(inspector): The, Path(id): Path<String>, Query(shown): Query<Shown>) -> Response {
    let Some(record) = inspector.inspected.requests.find(&id) else { return not_kept() };
    let shown = shown.secrets.as_deref() == Some("shown");
    Json(view::story(&record, &inspector.inspected.tables, shown)).into_response()
}

async fn as_curl(State(inspector): The, Path(id): Path<String>) -> Response {
    let Some(record) = inspector.inspected.requests.find(&id) else { return not_kept() };
    match curl::command(&inspector.inspected.api, &record) {
        Some(line) => line.into_response(),
        None => refuse(StatusCode::CONFLICT, "Not all of the body is kept, or it is no text."),
    }
}

async fn again(State(inspector): The, Path(id): Path<String>) -> Response {
    let Some(record) = inspector.inspected.requests.find(&id) else { return not_kept() };
    if !record.body.whole {
        return refuse(StatusCode::CONFLICT, "Not all of the body is kept, or it is no text.");
    }
    inspector.send(&record).await
}

impl Inspector {
    /// Sends what `record` holds to the API, as its caller did, and answers with the new request's id.
    async fn send(&self, record: &Record) -> Response {
        let url = format!("{}{}", self.inspected.api, record.target);
        let method = Method::from_bytes(record.method.as_bytes()).unwrap_or_default();
        let headers = record.headers.iter().filter(|(name, _)| !curl::OF_THE_CONNECTION.contains(&name.as_str()));
        let request =
            headers.fold(self.client.request(method, url), |request, (name, value)| request.header(name, value));
        match request.body(record.body.text.clone()).send().await {
            Ok(answer) => {
                let id = ["apigw-requestid", "x-amzn-requestid"].iter().find_map(|name| answer.headers().get(*name));
                Json(json!({ "id": id.and_then(|id| id.to_str().ok()) })).into_response()
            }
            // Its reply may have been lost on purpose; the request is recorded all the same.
            Err(_) => Json(json!({ "id": null })).into_response(),
        }
    }
}

async fn faults(State(inspector): The) -> Response {
    let mut state = inspector.wishes.state();
    state["tables"] = json!(inspector.inspected.tables.names());
    Json(state).into_response()
}

async fn wish(state: The, Json(wish): Json<Wish>) -> Response {
    if let Wish::Throttle { table, .. } = &wish
        && !state.inspected.tables.names().contains(table)
    {
        return refuse(StatusCode::NOT_FOUND, "There is no such table.");
    }
    state.wishes.take(wish);
    faults(state).await
}

/// One item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    table: String,
    key: Value,
}

async fn expire(State(inspector): The, Json(Item { table, key }): Json<Item>) -> Response {
    match inspector.inspected.tables.expire(&table, &key, view::EXPIRY, now_ms()) {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => refuse(StatusCode::NOT_FOUND, "There is no such record, or it does not expire."),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

/// A mail: a call of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    request: String,
    call: usize,
}

/// The mail comes back, as if the recipient's server refused it for good. Answers with the request that SES's event is.
async fn bounce(State(inspector): The, Json(sent): Json<Sent>) -> Response {
    let Some(record) = inspector.inspected.requests.find(&sent.request) else { return not_kept() };
    let mail = record.calls.get(sent.call).filter(|call| call.action == "SendEmail" && call.status == 200);
    let mail = mail.and_then(|mail| Some((mail.answer.json()?["MessageId"].as_str()?.to_owned(), &mail.request.text)));
    match mail.and_then(|(id, request)| inspector.inspected.mailbox.bounce(&id, request)) {
        Some(id) => Json(json!({ "id": id })).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "There is no such mail."),
    }
}

/// A customer whose address mail is to reach again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    cuid: String,
}

/// Gives the operator's command, as the terminal would.
async fn allow_mail(State(inspector): The, Json(Customer { cuid }): Json<Customer>) -> Response {
    let command = json!({ "command": "allow_mail", "cuid": cuid }).to_string();
    let target = "/2015-03-31/functions/operator/invocations";
    let mut invocation = Record::new(String::new(), "POST", target, &HeaderMap::new());
    invocation.body = Text::of(command.as_bytes());
    inspector.send(&invocation).await
}

fn not_kept() -> Response {
    refuse(StatusCode::NOT_FOUND, "This request is not kept.")
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
