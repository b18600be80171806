//! A partner's site, and on the same address a platform: an example of how the Customers API is meant to be used, in a
//! browser's reach.
//!
//! The super credentials stay in this server; a browser has a cookie and nothing else. Everything works without scripts
//! but the countdown. `api` is the model of each call, `session` of the cookies; `signing_in` and `account` are what a
//! site does with them, and `platform` what a platform does.

mod account;
mod api;
mod codes;
mod limit;
mod page;
mod platform;
mod scenes;
mod session;
mod signing_in;
mod words;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use api::{Api, Failure, Identity, Pair};
pub use api::{AppCredentials, PlatformCredentials};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    middleware::{self, Next},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use codes::Codes;
pub use codes::Times;
use limit::Limit;
use page::{Onlookers, Page};
use session::Sessions;
use signing_in::Visits;
use words::{Words, put};

/// What the site is told by its operator.
#[derive(Debug)]
pub struct Settings {
    /// The API's address.
    pub api: String,
    /// The partner's credentials.
    pub app: AppCredentials,
    /// The platform's, which a partner has not.
    pub platform: PlatformCredentials,
    /// Of codes and mails.
    pub times: Times,
    /// Where a request's id leads to its whole story, for onlookers.
    pub inspector: Option<String>,
}

struct Site {
    api: Api,
    times: Times,
    codes: Codes,
    limit: Limit,
    visits: Visits,
    customers: Sessions<Pair>,
    /// The platform's, which has nothing of the above: who is signed in there, and its users, both by `cuid`.
    guests: Sessions<String>,
    users: Mutex<HashMap<String, Identity>>,
    onlookers: Onlookers,
}

/// The site, and the platform under `/platform`.
///
/// # Errors
/// An HTTP client that cannot be built.
pub fn router(settings: Settings) -> reqwest::Result<Router> {
    let Settings { api, app, platform, times, inspector } = settings;
    let site = Arc::new(Site {
        api: Api::new(&api, app, platform)?,
        times,
        codes: Codes::new(times),
        limit: Limit::default(),
        visits: Sessions::new("visit"),
        customers: Sessions::new("customer"),
        guests: Sessions::new("platform_guest"),
        users: Mutex::default(),
        onlookers: Onlookers(inspector),
    });
    let file = |kind: &'static str, text: &'static str| get(([(header::CONTENT_TYPE, kind)], text));
    let to = |path: &'static str| async move || Redirect::to(path);
    Ok(Router::new()
        .route("/", get(signing_in::sign_up_page))
        .route("/sign-up", post(signing_in::sign_up).get(to("/")))
        .route("/sign-in", get(signing_in::sign_in_page).post(signing_in::sign_in))
        .route("/code", get(signing_in::code_page).post(signing_in::enter_code))
        .route("/code/new", post(signing_in::new_code).get(to("/code")))
        .route("/account", get(account::account))
        .route("/sso", get(account::sso))
        .route("/sign-out", post(account::sign_out).get(to("/")))
        .route("/platform", get(platform::home))
        .route("/platform/", get(to("/platform")))
        .route("/platform/sign-in", get(platform::sign_in))
        .route("/platform/sign-out", post(platform::sign_out).get(to("/platform")))
        .route("/platform/{*page}", get(platform::below))
        .fallback(async |State(site): TheSite, w: &'static Words| site.not_found(w, "/"))
        .layer(middleware::from_fn_with_state(Arc::new(scenes::Scenes::new()), scenes::watch))
        .route("/page.css", file("text/css", include_str!("../assets/page.css")))
        .route("/countdown.js", file("text/javascript", include_str!("../assets/countdown.js")))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), protect))
        .with_state(site))
}

/// Keeps other sites out, and pages in: a form of another site comes with its `Origin` (and, `SameSite`, without our
/// cookie), and a page of ours is in nobody's frame or cache. There is no `form-action`, for a browser applies it to
/// where a form redirects to, and a platform is elsewhere as a rule. Nobody sends forms without end.
async fn protect(State(site): TheSite, w: &'static Words, request: Request, next: Next) -> Response {
    if !of_this_site(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; \
                  frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: with that a browser sends our own forms with the `Origin` of nobody.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let visitor = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let is_form = request.method() == Method::POST;
    let response = if is_form && visitor.is_some_and(|visitor| !site.limit.admits(visitor)) {
        Page::Busy.show(StatusCode::TOO_MANY_REQUESTS, w, String::new(), &site.onlookers)
    } else if let Some(chosen) = chosen_language(&request) {
        chosen
    } else {
        let to = if request.uri().path().starts_with("/platform") { "/platform" } else { "/" };
        match next.run(request).await {
            // The router's own refusals, of a parameter that comes twice or the like, are for programs.
            refused if refused.status().is_client_error() && !is_page(&refused) => site.not_found(w, to),
            answered => answered,
        }
    };
    (AppendHeaders(headers), response).into_response()
}

fn is_page(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The answer to `?language=fr`: the same page without it, and a cookie.
fn chosen_language(request: &Request) -> Option<Response> {
    let tag = request.uri().query()?.strip_prefix("language=")?;
    let words = Words::find(tag)?;
    let cookie = session::set(words::COOKIE, words.tag, "/", time::Duration::days(365));
    // A path that begins with two slashes would lead elsewhere.
    Some(go(&format!("/{}", request.uri().path().trim_start_matches('/')), [cookie]))
}

/// Whether no page of another origin has made a browser send these headers.
fn of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    text(&header::ORIGIN).is_none_or(|origin| origin.split_once("://").map(|(_, host)| host) == text(&header::HOST))
}

type TheSite = State<Arc<Site>>;

impl Site {
    fn show(&self, page: Page, w: &'static Words, notice: String) -> Response {
        page.show(StatusCode::OK, w, notice, &self.onlookers)
    }

    fn not_found(&self, w: &'static Words, to: &'static str) -> Response {
        Page::NotFound { to }.show(StatusCode::NOT_FOUND, w, String::new(), &self.onlookers)
    }

    /// The page, and why nothing has come of it.
    fn trouble(&self, page: Page, w: &'static Words, failure: &Failure) -> Response {
        let status = match failure {
            Failure::Refused(refusal) if refusal.code == "not_allowed" => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        page.show(status, w, failure.told(w), &self.onlookers)
    }
}

impl Failure {
    /// A sentence for the visitor.
    fn told(&self, w: &Words) -> String {
        let number = match self {
            Self::Refused(refusal) if refusal.code == "not_allowed" => return w.not_allowed.to_owned(),
            Self::Refused(refusal) => &refusal.request_id,
            Self::Unavailable { request_id } => request_id,
        };
        if number.is_empty() {
            return w.trouble.to_owned();
        }
        format!("{} {}", w.trouble, put(w.trouble_number, "number", number))
    }
}

/// A redirect with cookies.
fn go(path: &str, cookies: impl IntoIterator<Item = String>) -> Response {
    let mut response = Redirect::to(path).into_response();
    for cookie in cookies {
        if let Ok(cookie) = cookie.parse() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}
