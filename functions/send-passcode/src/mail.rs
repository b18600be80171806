//! The mail that carries a passcode: its words, its looks, and who it says that it is from.

mod colour;
mod locale;
mod sender;
mod sentence;

use std::time::Duration;

use askama::Template;
use colour::Colour;
use locale::{Locale, Words};
use sentence::Part;
use shared::{Timestamp, app::Brand};

/// A mail, ready to be sent.
#[derive(Debug)]
pub struct Mail {
    /// The subject; never holds the code.
    pub subject: String,
    /// The plain text; never holds a URL. For a brand with a site, its last line binds the code to that site.
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
    site: Option<&'a str>,
    digits: &'a str,
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

/// What a mail tells of a passcode.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The code, as `1234 5678`.
    pub code: &'a str,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// For how long it is valid from then on.
    pub valid_for: Duration,
}

/// Renders the mail of a code, in the customer's language, else in the brand's, else in English.
///
/// # Errors
/// A locale or template that is broken, which the tests rule out.
pub fn render(
    brand: &Brand,
    customer_language: Option<&str>,
    Sent { code, asked_at, valid_for }: Sent<'_>,
) -> Result<Mail, Box<dyn std::error::Error + Send + Sync>> {
    let locale = Locale::for_tags(&[customer_language, brand.language.as_deref()])?;
    let words = locale.words(brand, asked_at, valid_for);
    let colour = brand.colour.as_deref().and_then(Colour::parse).unwrap_or(Colour::DEFAULT);
    let html = Html {
        language: locale.language,
        words: &words,
        brand: &brand.name,
        code,
        logo: brand.logo_url.as_deref(),
        colour,
        on_colour: colour.readable_on(),
    };
    let digits: String = code.split_whitespace().collect();
    let text = Text { words: &words, brand: &brand.name, code, site: brand.site.as_deref(), digits: &digits };
    Ok(Mail {
        text: text.render()?,
        html: html.render()?,
        subject: words.subject.to_string(),
        from_name: brand.from_name.as_ref().unwrap_or(&brand.name).clone(),
    })
}

#[cfg(test)]
mod tests;
