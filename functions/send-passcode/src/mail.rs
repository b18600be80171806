//! The mail that carries a passcode.

use std::time::Duration;

use shared::app::Brand;

/// A mail, ready to be sent.
#[derive(Debug)]
pub struct Mail {
    /// The subject; never holds the code.
    pub subject: String,
    /// The plain text; never holds a URL.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    from_name: String,
}

impl Mail {
    /// The `From` header with this address.
    pub fn from(&self, address: &str) -> String {
        format!("\"{}\" <{address}>", self.from_name.replace(['"', '\\'], ""))
    }
}

/// Renders the mail of a code (`1234 5678`) that is valid for so long.
pub fn render(
    brand: &Brand,
    _country: Option<&str>,
    code: &str,
    valid_for: Duration,
) -> Result<Mail, Box<dyn std::error::Error + Send + Sync>> {
    let minutes = valid_for.as_secs() / 60;
    let text = format!("Your passcode for {}: {code}\n\nIt is valid for {minutes} minutes.\n", brand.name);
    Ok(Mail {
        subject: format!("Your passcode for {}", brand.name),
        html: format!("<p>{text}</p>"),
        text,
        from_name: brand.from_name.as_ref().unwrap_or(&brand.name).clone(),
    })
}
