//! SES v2's `SendEmail`, with the refusals that SES is known for.

use serde::Deserialize;
use serde_json::{Value, json};

/// What a mailbox needs of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The tags of its events.
    pub tags: Vec<(String, String)>,
    /// The configuration set.
    pub configuration_set: String,
    /// The tenant that it is sent through.
    pub tenant: Option<String>,
    /// `Reply-To` first, where there is one.
    pub headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
    #[serde(default)]
    configuration_set_name: String,
    tenant_name: Option<String>,
}

/// A tag, or a header.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    copy: Vec<String>,
    #[serde(rename = "BccAddresses")]
    blind_copy: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: MailBody,
    #[serde(default)]
    headers: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MailBody {
    text: Option<Part>,
    html: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

/// Reads a `SendEmail` request.
///
/// # Errors
/// The message of the `BadRequestException` that SES would answer.
pub fn parse(body: &[u8]) -> Result<Parts, String> {
    let request: SendEmail =
        serde_json::from_slice(body).map_err(|error| format!("The request cannot be read: {error}"))?;
    let simple = request.content.simple.ok_or("Only simple content is taken here.")?;
    let from = request.from_email_address.filter(|from| !from.is_empty()).ok_or("Missing sender.")?;
    let Destination { to, copy, blind_copy } = request.destination;
    let to: Vec<String> = to.into_iter().chain(copy).chain(blind_copy).collect();
    if to.is_empty() {
        return Err("Missing destination.".to_owned());
    }
    for address in to.iter().chain([&from]) {
        check(address)?;
    }
    let taken = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte));
    if let Some(tag) = request.email_tags.iter().find(|tag| !taken(&tag.name) || !taken(&tag.value)) {
        return Err(format!("Invalid value for the tag <{}>.", tag.name));
    }
    let data = |part: Option<Part>| part.map(|part| part.data).unwrap_or_default();
    let (text, html) = (data(simple.body.text), data(simple.body.html));
    if text.is_empty() && html.is_empty() {
        return Err("Missing body.".to_owned());
    }
    let reply_to = request.reply_to_addresses.join(", ");
    let reply_to = (!reply_to.is_empty()).then(|| ("Reply-To".to_owned(), reply_to));
    let more = simple.headers.into_iter().map(|Tag { name, value }| (name, value));
    let headers = reply_to.into_iter().chain(more).collect();
    let tags = request.email_tags.into_iter().map(|Tag { name, value }| (name, value)).collect();
    let (configuration_set, tenant) = (request.configuration_set_name, request.tenant_name);
    Ok(Parts { from, to, subject: simple.subject.data, text, html, tags, configuration_set, tenant, headers })
}

/// SES takes neither a non-ASCII local part nor a Unicode domain; a display name has to be MIME-encoded.
fn check(address: &str) -> Result<(), String> {
    if !address.is_ascii() {
        return Err("An address or a display name contains characters that are not ASCII.".to_owned());
    }
    if address.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("An address contains a control character.".to_owned());
    }
    let bare = bare(address);
    match bare.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') && !bare.contains(' ') => Ok(()),
        _ => Err("Missing final '@domain'".to_owned()),
    }
}

/// An address without a display name.
pub fn bare(address: &str) -> &str {
    address.rsplit_once('<').map_or(address, |(_, rest)| rest.trim_end_matches('>'))
}

/// The answer to a mail that was taken.
pub fn accepted(id: &str) -> Value {
    json!({ "MessageId": id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    fn mail(from: &str, to: &str) -> Vec<u8> {
        let body = json!({"Text": {"Data": "12"}, "Html": {"Data": "<b>12</b>"}});
        let content = json!({"Simple": {"Subject": {"Data": "Hi"}, "Body": body}});
        json!({"FromEmailAddress": from, "Destination": {"ToAddresses": [to]}, "Content": content}).to_string().into()
    }

    #[test]
    fn a_simple_mail_is_taken_apart() {
        let parts = parse(&mail("ATOM <no-reply@atom.example>", "a@b.example")).unwrap();
        assert_eq!((parts.to[0].as_str(), parts.subject.as_str()), ("a@b.example", "Hi"));
        assert_eq!((parts.text.as_str(), parts.html.as_str()), ("12", "<b>12</b>"));
    }

    #[test]
    fn what_ses_refuses_is_refused() {
        for (from, to) in [
            ("no-reply@atom.example", "ä@b.example"),
            ("no-reply@atom.example", "a@bücher.example"),
            ("Bücher <no-reply@atom.example>", "a@b.example"),
            ("no-reply@atom.example", "nobody"),
            ("", "a@b.example"),
            ("no-reply@atom.example", "a@b.example\r\nBcc: c@d.example"),
        ] {
            assert!(parse(&mail(from, to)).is_err(), "{from:?} {to:?}");
        }
    }
}
