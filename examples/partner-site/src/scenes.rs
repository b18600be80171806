//! *Behind the scenes*: the calls of the API that a page was made with, for whoever looks at the example. This is the
//! demonstration's, and nothing to copy.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::session::Sessions;

/// One call of the API.
#[derive(Clone)]
pub struct Made {
    pub request: String,
    pub status: u16,
    pub took: Duration,
    pub request_id: String,
}

type Calls = Mutex<Vec<Made>>;

tokio::task_local! {
    static CALLS: Arc<Calls>;
}

/// The calls that led from one page to the next, by redirects.
pub struct Scenes(Sessions<Calls>);

impl Scenes {
    pub fn new() -> Self {
        Self(Sessions::new("scenes"))
    }
}

/// Keeps the calls that are made for a request; those of a redirect belong to the page that it leads to.
pub async fn watch(State(scenes): State<Arc<Scenes>>, request: Request, next: Next) -> Response {
    let before = scenes.0.find(request.headers());
    let calls = Arc::new(Mutex::new(before.as_deref().map(take).unwrap_or_default()));
    let mut response = CALLS.scope(Arc::clone(&calls), next.run(request)).await;
    if response.status() == StatusCode::SEE_OTHER {
        match before {
            Some(before) => lock(&before).append(&mut lock(&calls)),
            None => {
                if let Some(cookie) = scenes.0.begin(calls).ok().and_then(|cookie| cookie.parse().ok()) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
            }
        }
    }
    response
}

/// Notes a call.
pub fn note(made: Made) {
    // Nobody looks on outside of a request.
    let _ = CALLS.try_with(|calls| lock(calls).push(made));
}

/// The calls that led to the page which is being made.
pub fn calls() -> Vec<Made> {
    CALLS.try_with(|calls| take(calls)).unwrap_or_default()
}

fn take(calls: &Calls) -> Vec<Made> {
    std::mem::take(&mut lock(calls))
}

fn lock(calls: &Calls) -> std::sync::MutexGuard<'_, Vec<Made>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
