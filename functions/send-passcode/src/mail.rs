//! The mail that carries a passcode: its words, its looks, and who it says that it is from.

mod colour;
mod locale;
mod sender;

use std::time::Duration;

use askama::Template;
use colour::Colour;
use locale::{Locale, Words};
use shared::app::Brand;

/// A mail, ready to be sent.
#[derive(Debug)]
pub struct Mail {
    /// The subject; never holds the code.
    pub subject: String,
    /// The plain text; never holds a URL.
    pub text: String,
    /// The same as HTML, without a link, a script or anything that is fetched but the brand's logo.
    pub html: String,
    from_name: String,
}

impl Mail {
    /// The `From` header with this address.
    pub fn from(&self, address: &str) -> String {
        sender::mailbox(&self.from_name, address)
    }
}

#[derive(Template)]
#[template(path = "passcode.txt", escape = "none")]
struct Text<'a> {
    words: &'a Words,
    brand: &'a str,
    code: &'a str,
}

#[derive(Template)]
#[template(path = "passcode.html")]
struct Html<'a> {
    language: &'a str,
    words: &'a Words,
    brand: &'a str,
    code: &'a str,
    logo: Option<&'a str>,
    colour: Colour,
    on_colour: Colour,
}

/// Renders the mail of a code (as `1234 5678`) that is valid for so long, in the language of the customer's country.
///
/// # Errors
/// A locale or template that is broken, which the tests rule out.
pub fn render(
    brand: &Brand,
    country: Option<&str>,
    code: &str,
    valid_for: Duration,
) -> Result<Mail, Box<dyn std::error::Error + Send + Sync>> {
    let locale = Locale::of_country(country)?;
    let words = locale.words(&brand.name, valid_for, brand.support_email.as_deref());
    let colour = brand.colour.as_deref().and_then(Colour::parse).unwrap_or(Colour::DEFAULT);
    let html = Html {
        language: &locale.language,
        words: &words,
        brand: &brand.name,
        code,
        logo: brand.logo_url.as_deref(),
        colour,
        on_colour: colour.readable_on(),
    };
    Ok(Mail {
        text: Text { words: &words, brand: &brand.name, code }.render()?,
        html: html.render()?,
        subject: words.subject,
        from_name: brand.from_name.as_ref().unwrap_or(&brand.name).clone(),
    })
}

#[cfg(test)]
mod tests;
