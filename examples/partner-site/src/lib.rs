//! A partner's site, and on the same address a platform: an example of how the Customers API is meant to be used, in a
//! browser's reach.
//!
//! The super credentials stay in this server; a browser has a cookie and nothing else. Everything works without scripts
//! but the countdown. `api` is the model of each call, `session` of the cookies; here is what a site does with them.

mod api;
mod page;
mod session;
mod signing_in;

pub use api::{AppCredentials, PlatformCredentials};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Form, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::{self, Next},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use api::{Api, Failure, FieldError, Identity, Pair, Refusal};
use page::{CodePage, Page, Profile};
use session::Sessions;
use signing_in::SigningIn;

/// How long after a mail there is no other, as the reference says.
const COOLDOWN: Duration = Duration::from_secs(30);

struct Site {
    api: Api,
    code_lifetime: Duration,
    signing_in: Sessions<Mutex<SigningIn>>,
    customers: Sessions<Customer>,
    /// The platform's, which is another party: it has nothing of the sessions above.
    guests: Sessions<Identity>,
}

/// Somebody who is signed in.
struct Customer {
    email: String,
    pair: Pair,
}

/// The site, and the platform under `/platform`. Codes are good for `code_lifetime`.
///
/// # Errors
/// An HTTP client that cannot be built.
pub fn router(
    api: &str,
    app: AppCredentials,
    platform_credentials: PlatformCredentials,
    code_lifetime: Duration,
) -> reqwest::Result<Router> {
    let site = Site {
        api: Api::new(api, app, platform_credentials)?,
        code_lifetime,
        signing_in: Sessions::new("signing_in"),
        customers: Sessions::new("customer"),
        guests: Sessions::new("platform_guest"),
    };
    let file = |kind: &'static str, text: &'static str| get(([(header::CONTENT_TYPE, kind)], text));
    Ok(Router::new()
        .route("/", get(sign_up_page))
        .route("/sign-up", post(sign_up).get(async || Redirect::to("/")))
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/code", get(code_page).post(enter_code))
        .route("/code/new", post(new_code).get(async || Redirect::to("/code")))
        .route("/account", get(account))
        .route("/open-platform", post(open_platform).get(async || Redirect::to("/account")))
        .route("/sign-out", post(sign_out).get(async || Redirect::to("/")))
        .route("/platform", get(platform))
        .route("/page.css", file("text/css", include_str!("../assets/page.css")))
        .route("/countdown.js", file("text/javascript", include_str!("../assets/countdown.js")))
        .layer(middleware::from_fn(protect))
        .with_state(Arc::new(site)))
}

/// Keeps other sites out, and pages in: a form of another site comes with its `Origin` (and, `SameSite`, without our
/// cookie), and a page of ours is in nobody's frame or cache. There is no `form-action`, for a browser applies it to
/// where a form redirects to, and a platform is elsewhere as a rule.
async fn protect(request: Request, next: Next) -> Response {
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
    (AppendHeaders(headers), next.run(request).await).into_response()
}

/// Whether no page of another origin has made a browser send these headers.
fn of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    text(&header::ORIGIN).is_none_or(|origin| origin.split_once("://").map(|(_, host)| host) == text(&header::HOST))
}

type TheSite = State<Arc<Site>>;

async fn sign_up_page(State(site): TheSite, cookies: CookieJar) -> Response {
    match site.customers.find(&cookies) {
        Some(_) => Redirect::to("/account").into_response(),
        None => Page::SignUp { profile: Profile::default(), errors: Vec::new() }.show(StatusCode::OK),
    }
}

/// The API says which fields are wrong, all at once; it need not be said here a second time.
async fn sign_up(State(site): TheSite, cookies: CookieJar, Form(profile): Form<Profile>) -> Response {
    let fields = json!({ "company": profile.company, "name": profile.name, "email": profile.email });
    match site.api.sign_up(&fields).await {
        Ok(()) => site.mail_first_code(cookies, profile.email).await,
        Err(Failure::Refused(refusal)) if refusal.code == "invalid_request" => {
            Page::SignUp { profile, errors: refusal.errors.into_iter().map(kindly).collect() }
                .show(StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(failure) => trouble(Page::SignUp { profile, errors: Vec::new() }, failure),
    }
}

/// The API's messages are for whoever writes a program; most of them serve a visitor too.
fn kindly(error: FieldError) -> FieldError {
    let message = match (&*error.field, &*error.message) {
        ("email", _) => "This is no address that we can write to. It should look like jane@example.com.".to_owned(),
        (_, "Is required.") => "Please fill this in.".to_owned(),
        _ => error.message,
    };
    FieldError { message, ..error }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SignIn {
    email: String,
}

async fn sign_in_page(State(site): TheSite, cookies: CookieJar) -> Response {
    match site.customers.find(&cookies) {
        Some(_) => Redirect::to("/account").into_response(),
        None => Page::SignIn { email: String::new(), problem: "" }.show(StatusCode::OK),
    }
}

async fn sign_in(State(site): TheSite, cookies: CookieJar, Form(form): Form<SignIn>) -> Response {
    site.mail_first_code(cookies, form.email).await
}

impl Site {
    async fn mail_first_code(&self, cookies: CookieJar, email: String) -> Response {
        let email = email.trim().to_owned();
        let mut signing_in = SigningIn::new(email.clone());
        match self.mail_code(&mut signing_in).await {
            Ok(()) => go("/code", self.signing_in.begin(cookies, Mutex::new(signing_in))),
            Err(Failure::Refused(refusal)) if refusal.code == "user_not_found" => {
                let problem = "We know no account with this address. Is it spelt as when you signed up?";
                Page::SignIn { email, problem }.show(StatusCode::NOT_FOUND)
            }
            Err(failure) => trouble(Page::SignIn { email, problem: "" }, failure),
        }
    }

    async fn mail_code(&self, signing_in: &mut SigningIn) -> Result<(), Failure> {
        let now = Instant::now();
        let (wait, too_many) = match self.api.mail_code(&signing_in.email).await {
            Ok(Some(wait)) => (wait, false),
            Ok(None) => (COOLDOWN, false),
            // No failure: an earlier mail may hold a code that is good, and is asked for as ever.
            Err(Failure::Refused(Refusal { code, retry_after: Some(wait), .. })) if code == "too_many_mails" => {
                (wait, true)
            }
            Err(failure) => return Err(failure),
        };
        // A code that lives is mailed again, and its time does not start anew.
        if !too_many && signing_in.is_over(self.code_lifetime) {
            signing_in.code_since = now;
            signing_in.tried.clear();
            signing_in.lost = false;
        }
        signing_in.next_mail = now + wait;
        signing_in.too_many = too_many;
        Ok(())
    }

    fn code_page(&self, signing_in: &SigningIn, problem: String) -> Page {
        let wait = signing_in.wait(self.code_lifetime);
        Page::Code(CodePage {
            email: signing_in.email.clone(),
            lifetime: in_words(self.code_lifetime),
            wait: wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
            too_many: signing_in.too_many,
            over: signing_in.is_over(self.code_lifetime),
            problem,
        })
    }
}

async fn code_page(State(site): TheSite, cookies: CookieJar) -> Response {
    match (site.customers.find(&cookies), site.signing_in.find(&cookies)) {
        (Some(_), _) => Redirect::to("/account").into_response(),
        (None, Some(session)) => site.code_page(&*session.lock().await, String::new()).show(StatusCode::OK),
        (None, None) => Redirect::to("/sign-in").into_response(),
    }
}

async fn new_code(State(site): TheSite, cookies: CookieJar, Form(form): Form<SignIn>) -> Response {
    let Some(session) = site.signing_in.find(&cookies) else { return Redirect::to("/sign-in").into_response() };
    let mut signing_in = session.lock().await;
    signing_in.turn_to(form.email);
    if signing_in.wait(site.code_lifetime).is_zero()
        && let Err(failure) = site.mail_code(&mut signing_in).await
    {
        return trouble(site.code_page(&signing_in, String::new()), failure);
    }
    Redirect::to("/code").into_response()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    email: String,
    code: String,
}

async fn enter_code(State(site): TheSite, cookies: CookieJar, Form(entry): Form<Entry>) -> Response {
    let Some(session) = site.signing_in.find(&cookies) else { return Redirect::to("/sign-in").into_response() };
    // One entry at a time: the second one of a double click waits here, and finds what the first has come to.
    let mut signing_in = session.lock().await;
    signing_in.turn_to(entry.email);
    // Another tab may have been faster.
    if site.customers.find(&cookies).is_some_and(|customer| customer.email == signing_in.email) {
        return Redirect::to("/account").into_response();
    }
    let code: String = entry.code.chars().filter(char::is_ascii_digit).collect();
    if let Some(pair) = signing_in.accepted_before(&code) {
        return site.welcome(cookies, signing_in.email.clone(), pair);
    }
    let refused =
        |signing_in: &SigningIn, why: String| site.code_page(signing_in, why).show(StatusCode::UNPROCESSABLE_ENTITY);
    if code.len() != 8 {
        return refused(&signing_in, "A code has eight digits, such as 1234 5678.".to_owned());
    }
    match site.api.exchange(&signing_in.email, &code).await {
        Ok(pair) => {
            signing_in.accepted = Some((Instant::now(), code, pair.clone()));
            site.welcome(cookies, signing_in.email.clone(), pair)
        }
        Err(Failure::Refused(refusal)) if refusal.code == "invalid_passcode" => {
            // An earlier attempt at this very request may have been the one that used it up.
            signing_in.lost |= refusal.repeated;
            signing_in.tried.insert(code);
            refused(&signing_in, signing_in.why_refused(site.code_lifetime))
        }
        Err(failure) => trouble(site.code_page(&signing_in, String::new()), failure),
    }
}

impl Site {
    fn welcome(&self, cookies: CookieJar, email: String, pair: Pair) -> Response {
        go("/account", self.customers.begin(cookies, Customer { email, pair }))
    }
}

async fn account(State(site): TheSite, cookies: CookieJar) -> Response {
    let Some(customer) = site.customers.find(&cookies) else { return Redirect::to("/sign-in").into_response() };
    match site.api.record(&customer.pair).await {
        Ok(record) => {
            let named = [
                ("Company", "company"),
                ("Name", "name"),
                ("E-mail", "email"),
                ("Country", "country"),
                ("Website", "website"),
                ("Customer id", "cuid"),
            ];
            let field = |(label, name)| Some((label, record[name].as_str()?.to_owned()));
            Page::Account { fields: named.into_iter().filter_map(field).collect() }.show(StatusCode::OK)
        }
        // The pair has expired, was revoked, or the customer is erased: whoever it is may sign in again.
        Err(Failure::Refused(refusal)) if ["invalid_token", "no_matching_key"].contains(&&*refusal.code) => {
            go("/sign-in", Ok(site.customers.end(cookies)))
        }
        Err(failure) => trouble(Page::Account { fields: Vec::new() }, failure),
    }
}

/// A form and no link: each call makes a ticket, which no browser should fetch in advance.
async fn open_platform(State(site): TheSite, cookies: CookieJar) -> Response {
    let Some(customer) = site.customers.find(&cookies) else { return Redirect::to("/sign-in").into_response() };
    match site.api.way_to_platform(&customer.email).await {
        Ok(location) => Redirect::to(&location).into_response(),
        Err(failure) => trouble(Page::Account { fields: Vec::new() }, failure),
    }
}

async fn sign_out(State(site): TheSite, cookies: CookieJar) -> Response {
    (site.signing_in.end(site.customers.end(cookies)), Redirect::to("/")).into_response()
}

#[derive(Deserialize)]
struct Arrival {
    ticket: Option<String>,
}

/// The platform's side. A ticket is redeemed as soon as it comes, and the browser sent on to an address without it.
async fn platform(State(site): TheSite, cookies: CookieJar, Query(arrival): Query<Arrival>) -> Response {
    if let Some(ticket) = arrival.ticket {
        return match site.api.redeem(&ticket).await {
            Ok(identity) => go("/platform", site.guests.begin(cookies, identity)),
            // Or the reply to an earlier attempt was lost: a new ticket is one click away all the same.
            Err(Failure::Refused(refusal)) if ["invalid_ticket", "invalid_request"].contains(&&*refusal.code) => {
                Page::TicketRefused.show(StatusCode::FORBIDDEN)
            }
            Err(failure) => trouble(Page::NoTicket, failure),
        };
    }
    let Some(guest) = site.guests.find(&cookies) else { return Page::NoTicket.show(StatusCode::FORBIDDEN) };
    let Identity { email, company, name, app } = (*guest).clone();
    let company = company.unwrap_or_default();
    Page::Platform { name: name.unwrap_or_else(|| email.clone()), company, email, app }.show(StatusCode::OK)
}

/// A redirect with cookies, or the failure to make one.
fn go(path: &'static str, cookies: Result<CookieJar, getrandom::Error>) -> Response {
    match cookies {
        Ok(cookies) => (cookies, Redirect::to(path)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The same page once more, and why nothing has come of it.
fn trouble(page: Page, failure: Failure) -> Response {
    match failure {
        Failure::Refused(refusal) if refusal.code == "not_allowed" => {
            let notice = "This account cannot be used at the moment. Please write to us.".to_owned();
            page.show_with(StatusCode::FORBIDDEN, notice)
        }
        Failure::Refused(refusal) => trouble(page, refusal.unexpected()),
        Failure::Unavailable { request_id } => {
            let notice = "This did not work, and it is not your fault. Please try again in a minute.".to_owned();
            let number = format!(" If it stays so, tell us this number: {request_id}");
            let notice = if request_id.is_empty() { notice } else { notice + &number };
            page.show_with(StatusCode::SERVICE_UNAVAILABLE, notice)
        }
    }
}

fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        1 => "one second".to_owned(),
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
