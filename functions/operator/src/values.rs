//! What the values of fields may be.

use serde_json::Value;
use shared::{
    app::Grant,
    email::EmailAddress,
    fields::{Parsed, string},
    id::{Cuid, CustomerKey, Platformkey, Superkey},
    language,
    passcode::limits::MOST_MAILS_PER_APP,
    visible,
};
use url::{Host, Url};

/// Whoever calls with a token that can be rotated.
#[derive(Debug)]
pub enum CallerKey {
    /// An App.
    App(Superkey),
    /// A platform.
    Platform(Platformkey),
}

/// A name: trimmed, 1 to 200 characters, each of which can be seen or is a space.
pub fn name(value: &Value) -> Parsed<String> {
    let text = string(value)?.trim();
    if !(1..=200).contains(&text.chars().count()) {
        return Err("Must be 1 to 200 characters long.");
    }
    if text.chars().any(|char| visible::misleads(char) || visible::is_unseen(char)) {
        return Err("Must not hold control characters or others that cannot be seen.");
    }
    Ok(text.to_owned())
}

/// A name that stands in mails: nothing that reads as an address or that a mail program makes a link of, such as
/// `example.com`.
pub fn brand_name(value: &Value) -> Parsed<String> {
    let text = name(value)?;
    let read: String = text.chars().map(look_alike).collect();
    let dotted = read.split('.').skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    if dotted || read.contains("://") || read.contains(['@', '<', '>']) {
        return Err("Must not read as a link or an address.");
    }
    Ok(text)
}

/// The ASCII character that a character looks like, and that mail programs and browsers take it for in an address.
fn look_alike(char: char) -> char {
    match char {
        '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' => '.',
        '\u{fe6b}' => '@',
        '\u{fe64}' => '<',
        '\u{fe65}' => '>',
        '\u{fe55}' | '\u{2236}' => ':',
        '\u{2044}' | '\u{2215}' => '/',
        // The fullwidth forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
        _ => char,
    }
}

/// A tag of BCP 47.
pub fn language(value: &Value) -> Parsed<String> {
    let text = string(value)?.trim();
    if language::is_tag(text) { Ok(text.to_owned()) } else { Err(language::GRAMMAR) }
}

/// The host name of a site, in ASCII form: two labels or more, no port and no number of an address.
pub fn site(value: &Value) -> Parsed<String> {
    let host = match Host::parse(string(value)?.trim()) {
        Ok(Host::Domain(host)) if host.len() <= 253 && host.contains('.') => host,
        _ => return Err(NO_SITE),
    };
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    if host.split('.').all(is_label) { Ok(host) } else { Err(NO_SITE) }
}

const NO_SITE: &str = "Must be the host name of a site, such as app.example.com.";

/// `#rrggbb`.
pub fn colour(value: &Value) -> Parsed<String> {
    let text = string(value)?;
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let is_colour = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_colour { Ok(text.to_ascii_lowercase()) } else { Err("Must be a colour as #rrggbb.") }
}

/// An https URL.
pub fn https_url(value: &Value) -> Parsed<String> {
    let url = url(value)?;
    if url.scheme() == "https" { Ok(url.into()) } else { Err("Must be an https URL.") }
}

/// Where SSO leads: https, or http on loopback, and nothing that would hide or break the ticket.
pub fn platform_url(value: &Value) -> Parsed<Url> {
    let url = url(value)?;
    let loopback = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let taken = url.query_pairs().any(|(name, _)| name == "ticket" || name == "return_to");
    match url.scheme() {
        _ if url.fragment().is_some() => Err("Must not have a fragment."),
        _ if taken => Err("Must not have the parameters ticket or return_to."),
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err("Must be an https URL, or http on loopback."),
    }
}

fn url(value: &Value) -> Parsed<Url> {
    let text = string(value)?;
    let url = Url::parse(text).ok().filter(|url| url.has_host() && text.len() <= 2048);
    let url = url.ok_or("Must be a URL of at most 2,048 characters.")?;
    if url.username().is_empty() && url.password().is_none() { Ok(url) } else { Err("Must not hold credentials.") }
}

/// An address that mails may name, in its ASCII form.
pub fn email(value: &Value) -> Parsed<String> {
    Ok(address(value)?.deliverable().to_owned())
}

/// An e-mail address.
pub fn address(value: &Value) -> Parsed<EmailAddress> {
    EmailAddress::parse(string(value)?.trim()).ok_or("Must be an e-mail address.")
}

/// How many mails an App may send a day.
pub fn mails_per_day(value: &Value) -> Parsed<u64> {
    let mails = value.as_u64().filter(|mails| (1..=MOST_MAILS_PER_APP).contains(mails));
    mails.ok_or("Must be a whole number from 1 to 10,000,000.")
}

/// A list of grants, each once.
pub fn grants(value: &Value) -> Parsed<Vec<Grant>> {
    const PROBLEM: &str = "Must be a list of passcode and nopasscode, each at most once.";
    let mut grants = Vec::new();
    for grant in value.as_array().ok_or(PROBLEM)? {
        let grant = grant.as_str().and_then(Grant::parse).ok_or(PROBLEM)?;
        if grants.contains(&grant) {
            return Err(PROBLEM);
        }
        grants.push(grant);
    }
    Ok(grants)
}

/// A superkey.
pub fn superkey(value: &Value) -> Parsed<Superkey> {
    value.as_str().and_then(Superkey::parse).ok_or("Must be a superkey.")
}

/// A platformkey.
pub fn platformkey(value: &Value) -> Parsed<Platformkey> {
    value.as_str().and_then(Platformkey::parse).ok_or("Must be a platformkey.")
}

/// The key of an App or a platform.
pub fn caller_key(value: &Value) -> Parsed<CallerKey> {
    let text = value.as_str().unwrap_or_default();
    let app = Superkey::parse(text).map(CallerKey::App);
    app.or_else(|| Platformkey::parse(text).map(CallerKey::Platform)).ok_or("Must be a superkey or a platformkey.")
}

/// The key of a customer's pair.
pub fn customer_key(value: &Value) -> Parsed<CustomerKey> {
    value.as_str().and_then(CustomerKey::parse).ok_or("Must be a customer's key.")
}

/// A `cuid`.
pub fn cuid(value: &Value) -> Parsed<Cuid> {
    value.as_str().and_then(Cuid::parse).ok_or("Must be a cuid.")
}

/// True or false.
pub fn switch(value: &Value) -> Parsed<bool> {
    value.as_bool().ok_or("Must be true or false.")
}

/// Whole seconds up to a day.
pub fn overlap_seconds(value: &Value) -> Parsed<u64> {
    value.as_u64().filter(|seconds| *seconds <= 86_400).ok_or("Must be a whole number from 0 to 86400.")
}

/// How many items a list may have.
pub fn limit(value: &Value) -> Parsed<usize> {
    let limit = value.as_u64().and_then(|limit| usize::try_from(limit).ok());
    limit.filter(|limit| (1..=1000).contains(limit)).ok_or("Must be a whole number from 1 to 1000.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_platform_is_reached_by_https_or_on_loopback() {
        for url in ["https://atom.example/login?a=b", "http://127.0.0.1:9003/", "http://localhost/", "http://[::1]/"] {
            assert!(platform_url(&json!(url)).is_ok(), "{url}");
        }
        for url in [
            "http://atom.example/",
            "ftp://atom.example/",
            "https://user@atom.example/",
            "https://a:b@atom.example/",
            "https://atom.example/#x",
            "https://atom.example/?ticket=1",
            "javascript:alert(1)",
            "",
            "https://",
        ] {
            assert!(platform_url(&json!(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn a_brand_is_no_link() {
        for text in
            ["Acme", "Société Générale", "Acme Inc.", "A. Lovelace", "アクメ", "عكا", "Intel·ligent", "Ａｃｍｅ"]
        {
            assert!(brand_name(&json!(text)).is_ok(), "{text}");
        }
        for text in
            ["", " ", "evil.example", "https://evil", "WWW.evil.example", "a@b.example", "<b>", "a\nb", "a\u{202e}b"]
        {
            assert!(brand_name(&json!(text)).is_err(), "{text:?}");
        }
        for text in [
            "evil。com",
            "evil․com",
            "evil．com",
            "evil｡com",
            "evil﹒com",
            "ｅｖｉｌ．ｃｏｍ",
            "a＠b",
            "https：／／evil",
            "https:⁄⁄evil",
        ] {
            assert_eq!(brand_name(&json!(text)), Err("Must not read as a link or an address."), "{text:?}");
        }
    }

    #[test]
    fn every_character_of_a_name_can_be_seen() {
        for char in
            "\n\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{2029}\u{202e}\u{2060}\u{2067}\u{3164}\u{feff}\u{e0041}".chars()
        {
            let problem = Err("Must not hold control characters or others that cannot be seen.");
            assert_eq!(name(&json!(format!("Ac{char}me"))), problem, "{char:?}");
            assert_eq!(brand_name(&json!(format!("evil.{char}com"))), problem, "{char:?}");
        }
    }

    #[test]
    fn a_language_is_a_tag() {
        assert_eq!(language(&json!(" pt-BR ")).unwrap(), "pt-BR");
        for value in [json!(""), json!("fr_FR"), json!("French, please"), json!(7), json!("x".repeat(36))] {
            assert!(language(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_site_is_a_host_name() {
        assert_eq!(site(&json!("App.Acme.Example")).unwrap(), "app.acme.example");
        assert_eq!(site(&json!("bücher.example")).unwrap(), "xn--bcher-kva.example");
        for text in [
            "",
            "acme",
            "acme.example.",
            "https://acme.example",
            "acme.example/",
            "acme.example:8443",
            "a b.example",
            "acme.example #1",
            "a_b.example",
            "-a.example",
            "127.0.0.1",
            "[::1]",
            "1.2",
            "a..example",
            "a@acme.example",
        ] {
            assert!(site(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_colour_has_six_digits() {
        assert_eq!(colour(&json!("#A0b1C2")).unwrap(), "#a0b1c2");
        for text in ["", "red", "#fff", "#gggggg", "a0b1c2", "#a0b1c2;"] {
            assert!(colour(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_grant_is_given_once() {
        assert_eq!(grants(&json!(["nopasscode", "passcode"])).unwrap().len(), 2);
        for list in [json!(["passcode", "passcode"]), json!(["admin"]), json!("passcode"), json!([1])] {
            assert!(grants(&list).is_err(), "{list}");
        }
    }
}
