//! What the pages show. The sentences are in `words`, their places in `templates/partner.html`.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    scenes::{self, Made},
    words::{ALL, Words, put},
};

/// The partner's name, and the platform's.
const APP: &str = "Demo App";
const PLATFORM: &str = "Demo platform";
/// The page of the platform that the account page leads to: `return_to` carries it through the sign-in.
pub const CAMPAIGN: &str = "7";

/// What a visitor types to sign up.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub company: String,
    pub name: String,
    pub email: String,
    /// Of the mails; empty for that of the page.
    pub language: String,
}

impl Profile {
    /// Whether this language is the one chosen for the mails.
    fn has_chosen(&self, language: &Words, of_page: &Words) -> bool {
        language.tag == if self.language.is_empty() { of_page.tag } else { &self.language }
    }
}

/// A form's field and what is wrong with it.
#[derive(Clone)]
pub struct Wrong {
    pub field: String,
    pub why: String,
}

/// The page of the code.
#[derive(Default)]
pub struct CodePage {
    pub email: String,
    /// Where the code went to.
    pub mailed: String,
    /// How long it still works, in words; empty if it does not.
    pub good_for: String,
    /// Seconds until another mail can be had; 0 for at once.
    pub wait: u64,
    /// The same in words.
    pub wait_words: String,
    /// Whether the wait is for having asked too often.
    pub too_many: bool,
    /// What was entered, to be corrected.
    pub entered: String,
    /// What is wrong with it.
    pub problem: String,
    /// Whether only a new code helps.
    pub over: bool,
    /// Whether mails do not reach the address, which `mailed` then tells.
    pub comes_back: bool,
}

pub enum Page {
    SignUp { profile: Profile, wrong: Vec<Wrong> },
    SignIn { email: String, problem: String },
    Code(CodePage),
    Account { fields: Vec<(&'static str, String)> },
    NotFound { to: &'static str },
    Busy,
    Platform { name: String, company: String, email: String, cuid: String, app: String, campaign: Option<String> },
    Outside { return_to: String },
    TicketRefused,
}

/// Where the example's onlookers see a request from within.
#[derive(Clone, Default)]
pub struct Onlookers(pub Option<String>);

#[derive(Template)]
#[template(path = "partner.html")]
struct View<'a> {
    page: Page,
    notice: String,
    w: &'static Words,
    languages: [&'static Words; ALL.len()],
    calls: Vec<Made>,
    inspector: Option<&'a str>,
    campaign: &'static str,
}

impl View<'_> {
    fn title(&self) -> String {
        match &self.page {
            Page::SignUp { .. } => self.w.sign_up_title.to_owned(),
            Page::SignIn { .. } => self.w.sign_in.to_owned(),
            Page::Code(_) => self.w.code_title.to_owned(),
            Page::Account { .. } => self.w.account_title.to_owned(),
            Page::NotFound { .. } => self.w.no_page_title.to_owned(),
            Page::Busy => self.w.busy_title.to_owned(),
            Page::Platform { name, .. } => put(self.w.welcome, "name", name),
            Page::Outside { .. } => self.w.outside_title.to_owned(),
            Page::TicketRefused => self.w.used_title.to_owned(),
        }
    }

    fn of_platform(&self) -> bool {
        matches!(
            self.page,
            Page::Platform { .. } | Page::Outside { .. } | Page::TicketRefused | Page::NotFound { to: "/platform" }
        )
    }

    fn brand(&self) -> &'static str {
        if self.of_platform() { PLATFORM } else { APP }
    }
}

impl Page {
    /// The page in the visitor's language, with a sentence above all else unless that is empty.
    pub fn show(self, status: StatusCode, w: &'static Words, notice: String, onlookers: &Onlookers) -> Response {
        let inspector = onlookers.0.as_deref();
        let view =
            View { page: self, notice, w, languages: ALL, calls: scenes::calls(), inspector, campaign: CAMPAIGN };
        match view.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// What is wrong with a field, if anything is.
fn why<'a>(wrong: &'a [Wrong], field: &str) -> &'a str {
    wrong.iter().find(|wrong| wrong.field == field).map_or("", |wrong| &wrong.why)
}
