//! Secrets, taken out of whatever is shown: tokens, tickets and passcodes, known by their form or by the names that they
//! stand under.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde_json::Value;

/// What stands in a secret's place.
const HIDDEN: &str = "••••••••";
/// Names of what is secret, in headers, queries, bodies and answers.
const NAMES: &str = "(?:x-access-)?(?:super|platform)?token|(?:x-access-)?passcode|ticket|authorization";

/// A token of any level, or a ticket, by its prefix.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(atom(?:st|pt|ct|tk)_)[0-9A-Za-z]+").ok());
/// `name=value` or `"name": "value"`, also inside a text that is quoted itself.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r#"(?i)(\b(?:{NAMES})(?:\\*"\s*:\s*\\*"|=))([^"\\&\s]+)"#)).ok());
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i)^(?:{NAMES})$")).ok());
/// A passcode as a mail shows it; what a hyphen precedes is a part of an id.
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(^|[^\w-])\d{4}[ -]?\d{4}\b").ok());

/// Hides the secrets in every text of `value`; `passcodes` also hides what could be one, as in a mail.
pub fn hide(value: &mut Value, passcodes: bool) {
    match value {
        Value::String(text) => *text = hidden(text, passcodes),
        Value::Array(list) => match list.as_mut_slice() {
            // A header, or whatever else is a name and its value.
            [Value::String(name), Value::String(value)] if is_name(name) => HIDDEN.clone_into(value),
            list => list.iter_mut().for_each(|one| hide(one, passcodes)),
        },
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if is_name(name) => HIDDEN.clone_into(text),
                    field => hide(field, passcodes),
                }
            }
        }
        _ => {}
    }
}

fn is_name(name: &str) -> bool {
    NAME.as_ref().is_none_or(|names| names.is_match(name))
}

fn hidden(text: &str, passcodes: bool) -> String {
    let keep_first = |regex: &LazyLock<Option<Regex>>, text: &str| match &**regex {
        Some(regex) => regex.replace_all(text, |found: &Captures<'_>| format!("{}{HIDDEN}", &found[1])).into_owned(),
        None => HIDDEN.to_owned(),
    };
    let text = keep_first(&NAMED, &keep_first(&TOKEN, text));
    if passcodes { keep_first(&CODE, &text) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::passcode::limits::DIGITS;

    use super::{HIDDEN, hide};

    fn shown(mut value: Value, passcodes: bool) -> String {
        hide(&mut value, passcodes);
        value.to_string()
    }

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let event = json!({ "headers": { "x-access-token": "s3cret" }, "body": r#"{"ticket": "s3cret"}"# }).to_string();
        for value in [
            json!("atomst_s3cret and atomtk_s3cret"),
            json!("/customer/a/auth?passcode=s3cret&x=1"),
            json!("https://p.example/?ticket=s3cret"),
            json!([["x-access-supertoken", "s3cret"], ["Authorization", "s3cret"]]),
            json!({ "token": "s3cret" }),
            json!(r#"{"platformtoken":"s3cret"}"#),
            json!("?superToken=s3cret"),
            Value::from(event.clone()),
            json!({ "text": json!({ "event": event }).to_string() }),
        ] {
            let text = shown(value.clone(), false);
            assert!(!text.contains("s3cret"), "{text}");
            assert!(text.contains(HIDDEN), "{text}");
        }
    }

    #[test]
    fn a_passcode_of_a_mail_is_hidden() {
        let (first, second) = "1234567890"[..DIGITS].split_at(DIGITS / 2);
        let mail = format!("{first} {second} @site #{first}{second}");
        assert_eq!(shown(json!(mail), true), format!("\"{HIDDEN} @site #{HIDDEN}\""));
        let id = "local-f83e95f2-770b-4060-9817-5f2c7d11cacf";
        assert_eq!(shown(json!(id), true), format!("\"{id}\""));
    }

    #[test]
    fn what_is_no_secret_stays() {
        for value in [
            json!({ "message": "We have emailed the passcode to: a@example.com", "code": "missing_token" }),
            json!([["x-access-superkey", "atomsk_x"], ["content-type", "application/json"]]),
            json!({ "token_hash": { "B": "x" }, "expires_at": 1_764_000_000_000_u64, "token": null }),
            json!({ "errors": [{ "field": "ticket", "message": "Missing ticket" }] }),
        ] {
            assert_eq!(shown(value.clone(), false), value.to_string());
        }
    }
}
