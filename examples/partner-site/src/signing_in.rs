//! Signing up and in: both end with a code that was mailed, for an address proves nothing about who typed it. Every form
//! is answered by a redirect, and what has to be told is kept for the page that it leads to: so Back leads to a page.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    Site, TheSite,
    api::{Failure, FieldError, Pair},
    codes::Code,
    go,
    page::{CodePage, Page, Profile, Wrong},
    session::Sessions,
    words::{Words, put},
};

/// How long the right code may be sent again: by a double click, whose first reply the browser has thrown away.
const DOUBLE_CLICK: Duration = Duration::from_secs(10);

/// A browser that has sent a form and is not signed in yet.
#[derive(Default)]
pub struct Visit {
    /// The address that is being signed in; empty at first.
    email: String,
    /// Whether it is known to have an account, since it has just signed up.
    has_account: bool,
    /// Whether this very browser has made the account, so that nobody else's is told of.
    is_new: bool,
    /// Whether mails do not reach the address.
    comes_back: bool,
    accepted: Option<(Instant, String, Pair)>,
    /// Where to go once signed in.
    next: Option<String>,
    told: Told,
}

/// What the next page tells, once.
#[derive(Default)]
struct Told {
    notice: String,
    problem: String,
    entered: String,
    profile: Profile,
    wrong: Vec<Wrong>,
}

pub type Visits = Sessions<Mutex<Visit>>;

impl Site {
    /// The browser's visit, or a new one with its cookie. One form at a time: the second one of a double click waits here,
    /// and finds what the first has come to.
    async fn visit(&self, headers: &HeaderMap) -> (OwnedMutexGuard<Visit>, Option<String>) {
        if let Some(visit) = self.visits.find(headers) {
            return (visit.lock_owned().await, None);
        }
        let visit = Arc::new(Mutex::new(Visit::default()));
        let cookie = self.visits.begin(Arc::clone(&visit));
        (visit.lock_owned().await, cookie.ok())
    }

    /// Takes what the next page has to tell.
    async fn told(&self, headers: &HeaderMap) -> Told {
        match self.visits.find(headers) {
            Some(visit) => std::mem::take(&mut visit.lock().await.told),
            None => Told::default(),
        }
    }

    /// Leads to the sign-in, where `notice` is told, and from there to `next`.
    pub async fn ask_to_sign_in(&self, headers: &HeaderMap, notice: &str, next: Option<String>) -> Response {
        let (mut visit, cookie) = self.visit(headers).await;
        visit.told = Told { notice: notice.to_owned(), ..Told::default() };
        visit.next = next;
        go("/sign-in", cookie.into_iter().chain([self.customers.end(headers)]))
    }

    /// Has the visit's code mailed, unless one was a moment ago. Says whether it is a new one, if there was a mail.
    async fn mail_code(&self, visit: &mut Visit) -> Result<Option<bool>, Failure> {
        let email = &visit.email;
        if !self.codes.of(email).wait(self.times).0.is_zero() {
            return Ok(None);
        }
        let mut comes_back = false;
        let held = match self.api.mail_code(email).await {
            Ok(held) => held,
            // Whether there is such an account, and how it is with its mails, is nobody's business but its owner's.
            Err(Failure::Refused(refusal)) if UNTOLD.contains(&&*refusal.code) => {
                comes_back = refusal.code == UNDELIVERABLE;
                None
            }
            Err(failure) => return Err(failure),
        };
        let is_new = self.codes.mailed(email, held);
        visit.comes_back = comes_back && visit.is_new;
        Ok(Some(is_new).filter(|_| !visit.comes_back))
    }
}

const UNDELIVERABLE: &str = "mail_undeliverable";
const UNTOLD: [&str; 3] = ["user_not_found", "too_many_mails", UNDELIVERABLE];

pub async fn sign_up_page(State(site): TheSite, headers: HeaderMap, w: &'static Words) -> Response {
    if site.customers.find(&headers).is_some() {
        return Redirect::to("/account").into_response();
    }
    let told = site.told(&headers).await;
    site.show(Page::SignUp { profile: told.profile, wrong: told.wrong }, w, told.notice)
}

/// The API says which fields are wrong, all at once; it need not be said here a second time.
pub async fn sign_up(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    Form(profile): Form<Profile>,
) -> Response {
    let (mut visit, cookie) = site.visit(&headers).await;
    let Profile { company, name, email, language } = &profile;
    let fields = json!({ "company": company, "name": name, "email": email, "language": language });
    let mut told = Told { profile: profile.clone(), ..Told::default() };
    match site.api.sign_up(&fields).await {
        Ok(is_new) => match site
            .begin(&mut visit, Visit { email: profile.email, has_account: true, is_new, ..Visit::default() })
            .await
        {
            Ok(()) => return go("/code", cookie),
            Err(failure) => told.notice = failure.told(w),
        },
        Err(Failure::Refused(refusal)) if refusal.code == "invalid_request" => {
            told.wrong = refusal.errors.into_iter().map(|error| kindly(error, w)).collect();
        }
        Err(failure) => told.notice = failure.told(w),
    }
    visit.told = told;
    go("/", cookie)
}

/// The API's messages are for whoever writes a program; most of them serve a visitor too.
fn kindly(FieldError { field, message }: FieldError, w: &Words) -> Wrong {
    let why = match (&*field, &*message) {
        ("email", _) => w.bad_email.to_owned(),
        (_, "Is required.") => w.required.to_owned(),
        _ => put(w.bad_field, "why", &message),
    };
    Wrong { field, why }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignIn {
    email: String,
}

pub async fn sign_in_page(State(site): TheSite, headers: HeaderMap, w: &'static Words) -> Response {
    if site.customers.find(&headers).is_some() {
        return Redirect::to("/account").into_response();
    }
    let told = site.told(&headers).await;
    site.show(Page::SignIn { email: told.entered, problem: told.problem }, w, told.notice)
}

pub async fn sign_in(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    Form(SignIn { email }): Form<SignIn>,
) -> Response {
    let (mut visit, cookie) = site.visit(&headers).await;
    let notice = match site.begin(&mut visit, Visit { email: email.clone(), ..Visit::default() }).await {
        Ok(()) => return go("/code", cookie),
        Err(failure) => failure.told(w),
    };
    visit.told = Told { notice, entered: email, ..Told::default() };
    go("/sign-in", cookie)
}

impl Site {
    /// Begins to sign an address in: has a code mailed, and goes on with the new visit in place of the old one.
    async fn begin(&self, visit: &mut Visit, mut begun: Visit) -> Result<(), Failure> {
        begun.email = begun.email.trim().to_owned();
        self.mail_code(&mut begun).await?;
        begun.next = visit.next.take();
        *visit = begun;
        Ok(())
    }

    fn code_page(&self, visit: &mut Visit, w: &Words) -> CodePage {
        let code = self.codes.of(&visit.email);
        let ((wait, too_many), over) = (code.wait(self.times), code.is_over(self.times));
        let mailed = match visit {
            Visit { comes_back: true, .. } => w.comes_back,
            Visit { has_account: true, .. } => w.mailed,
            Visit { .. } => w.mailed_if,
        };
        let no_code = over || visit.comes_back;
        let told = std::mem::take(&mut visit.told);
        CodePage {
            mailed: put(mailed, "email", &visit.email),
            email: visit.email.clone(),
            good_for: if no_code { String::new() } else { put(w.good_for, "time", &w.time(code.left(self.times))) },
            wait: wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
            wait_words: w.time(wait),
            too_many,
            over,
            comes_back: visit.comes_back,
            entered: told.entered,
            problem: told.problem,
        }
    }
}

pub async fn code_page(State(site): TheSite, headers: HeaderMap, w: &'static Words) -> Response {
    if site.customers.find(&headers).is_some() {
        return Redirect::to("/account").into_response();
    }
    let Some(visit) = site.visits.find(&headers) else { return Redirect::to("/sign-in").into_response() };
    let mut visit = visit.lock().await;
    if visit.email.is_empty() {
        return Redirect::to("/sign-in").into_response();
    }
    let notice = std::mem::take(&mut visit.told.notice);
    let page = site.code_page(&mut visit, w);
    site.show(Page::Code(page), w, notice)
}

pub async fn new_code(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    Form(SignIn { email }): Form<SignIn>,
) -> Response {
    let (mut visit, cookie) = site.visit(&headers).await;
    visit.turn_to(email);
    let notice = match site.mail_code(&mut visit).await {
        Ok(Some(true)) => w.sent_new.to_owned(),
        Ok(Some(false)) => w.sent_again.to_owned(),
        Ok(None) => String::new(),
        Err(failure) => failure.told(w),
    };
    visit.told = Told { notice, ..Told::default() };
    go("/code", cookie)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    email: String,
    code: String,
}

pub async fn enter_code(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    Form(entry): Form<Entry>,
) -> Response {
    let (mut visit, cookie) = site.visit(&headers).await;
    visit.turn_to(entry.email);
    let code: String = entry.code.chars().filter(char::is_ascii_digit).collect();
    if let Some(pair) = visit.accepted_before(&code) {
        return site.welcome(&mut visit, pair);
    }
    let mut told = Told { entered: entry.code, ..Told::default() };
    if code.len() == 8 {
        match site.api.exchange(&visit.email, &code).await {
            Ok(pair) => {
                site.codes.used(&visit.email);
                visit.accepted = Some((Instant::now(), code, pair.clone()));
                return site.welcome(&mut visit, pair);
            }
            Err(Failure::Refused(refusal)) if ["invalid_passcode", "user_not_found"].contains(&&*refusal.code) => {
                site.codes.refused(&visit.email, &code, refusal.repeated);
                told.problem = Code::why_refused(&site.codes.of(&visit.email), w, site.times);
            }
            Err(failure) => told.notice = failure.told(w),
        }
    } else {
        told.problem = w.eight_digits.to_owned();
    }
    visit.told = told;
    go("/code", cookie)
}

impl Visit {
    /// Another tab may have begun anew with another address since this one's page was made.
    fn turn_to(&mut self, email: String) {
        if !email.is_empty() && email != self.email {
            *self = Self { email, next: self.next.take(), ..Self::default() };
        }
    }

    /// The pair that this very code has brought a moment ago.
    fn accepted_before(&self, code: &str) -> Option<Pair> {
        let (at, accepted, pair) = self.accepted.as_ref()?;
        (accepted == code && at.elapsed() < DOUBLE_CLICK).then(|| pair.clone())
    }
}

impl Site {
    fn welcome(&self, visit: &mut Visit, pair: Pair) -> Response {
        visit.told = Told::default();
        let to = visit.next.take().unwrap_or_else(|| "/account".to_owned());
        match self.customers.begin(Arc::new(pair)) {
            Ok(cookie) => go(&to, [cookie]),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
