//! What the pages show. The words are in `templates/partner.html`.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use super::api::FieldError;

/// What a visitor types to sign up.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub company: String,
    pub name: String,
    pub email: String,
}

/// The page of the code.
#[derive(Default)]
pub struct CodePage {
    pub email: String,
    /// How long a code is good for, in words.
    pub lifetime: String,
    /// Seconds until another mail can be had; 0 for at once.
    pub wait: u64,
    /// Whether the wait is for having asked too often.
    pub too_many: bool,
    /// What is wrong with the code that was entered.
    pub problem: String,
    /// Whether only a new code helps.
    pub over: bool,
}

pub enum Page {
    SignUp { profile: Profile, errors: Vec<FieldError> },
    SignIn { email: String, problem: &'static str },
    Code(CodePage),
    Account { fields: Vec<(&'static str, String)> },
    Platform { name: String, company: String, email: String, app: String },
    NoTicket,
    TicketRefused,
}

#[derive(Template)]
#[template(path = "partner.html")]
struct View {
    page: Page,
    notice: String,
}

impl View {
    const fn title(&self) -> &'static str {
        match self.page {
            Page::SignUp { .. } => "Sign up",
            Page::SignIn { .. } => "Sign in",
            Page::Code(_) => "Enter your code",
            Page::Account { .. } => "Your account",
            Page::Platform { .. } => "Welcome",
            Page::NoTicket | Page::TicketRefused => "Not signed in",
        }
    }

    const fn of_platform(&self) -> bool {
        matches!(self.page, Page::Platform { .. } | Page::NoTicket | Page::TicketRefused)
    }
}

impl Page {
    pub fn show(self, status: StatusCode) -> Response {
        self.show_with(status, String::new())
    }

    /// With a sentence above all else.
    pub fn show_with(self, status: StatusCode, notice: String) -> Response {
        match (View { page: self, notice }).render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// The message for a field, if it has one.
fn error_of<'a>(errors: &'a [FieldError], field: &str) -> &'a str {
    errors.iter().find(|error| error.field == field).map_or("", |error| &error.message)
}
