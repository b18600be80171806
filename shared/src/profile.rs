//! What a customer's record says about them, and how it is read from a JSON object: all that is wrong is told at once.

use serde_json::{Map, Value};
use url::Url;

use crate::{
    Error, Result,
    email::{self, EmailAddress},
    fields::{Fields, Parsed, REQUIRED, string},
    visible,
};

/// A field of the record besides the address.
pub struct Field {
    /// Its name in requests, replies and items.
    pub name: &'static str,
    /// Whether every customer has it.
    pub required: bool,
    /// The most characters that it may have.
    pub max_characters: usize,
    /// What a longer one is told.
    pub too_long: &'static str,
}

const fn field(name: &'static str) -> Field {
    Field { name, required: false, max_characters: 200, too_long: "Must be at most 200 characters long." }
}

/// Every field besides the address, in the order in which a record shows them.
pub const FIELDS: [Field; 9] = [
    Field { required: true, ..field("company") },
    field("name"),
    Field { max_characters: 500, too_long: "Must be at most 500 characters long.", ..field("address") },
    field("country"),
    field("city"),
    field("zip"),
    field("state"),
    field("phone"),
    Field { max_characters: 2048, too_long: "Must be at most 2,048 characters long.", ..field("website") },
];

/// What a field that a customer has not is told.
const UNKNOWN: &str = "Is not a field of a customer.";

/// The names of the fields, in the order in which a record shows them.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}

/// The fields of a customer as they were sent: trimmed and within bounds.
#[derive(Debug, Default)]
pub struct Profile {
    /// The address, where one was sent.
    pub email: Option<EmailAddress>,
    /// What was sent of the others; `None` for an empty one, which means absent.
    pub values: Vec<(&'static str, Option<String>)>,
}

impl Profile {
    /// Reads the body of a creation, for which `company` and `email` are required.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field.
    pub fn for_creation(body: Map<String, Value>) -> Result<(EmailAddress, Vec<(&'static str, String)>)> {
        let mut fields = Fields::of(body);
        let email = fields.required("email", read_email);
        let mut values = Vec::new();
        for field in &FIELDS {
            let read = |value: &Value| field.read(value);
            let value =
                if field.required { fields.required(field.name, read) } else { fields.optional(field.name, read) };
            values.extend(value.flatten().map(|value| (field.name, value)));
        }
        fields.finish(UNKNOWN, || Some((email?, values))).map_err(Error::invalid_fields)
    }

    /// Takes the fields of a change: any of them, an empty one to take it away.
    pub fn take(fields: &mut Fields) -> Self {
        let email = fields.optional("email", read_email);
        let values = FIELDS.iter().filter_map(|field| {
            let value = fields.optional(field.name, |value| field.read(value))?;
            Some((field.name, value))
        });
        Self { email, values: values.collect() }
    }
}

impl Field {
    fn read(&self, value: &Value) -> Parsed<Option<String>> {
        let text = string(value)?.trim();
        if text.is_empty() {
            return if self.required { Err(REQUIRED) } else { Ok(None) };
        }
        if text.chars().any(char::is_control) {
            return Err("Must not hold control characters.");
        }
        if text.chars().any(visible::misleads) {
            return Err("Must not hold characters that turn, break or tag text unseen.");
        }
        if !visible::can_be_seen(text) {
            return Err("Must hold something that can be seen.");
        }
        if text.chars().count() > self.max_characters {
            return Err(self.too_long);
        }
        if self.name == "website" && !is_website(text) {
            return Err("Must be an http or https URL.");
        }
        Ok(Some(text.to_owned()))
    }
}

fn read_email(value: &Value) -> Parsed<EmailAddress> {
    let text = string(value)?.trim();
    if text.is_empty() { Err(REQUIRED) } else { EmailAddress::parse(text).ok_or(email::GRAMMAR) }
}

fn is_website(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Read = Result<(EmailAddress, Vec<(&'static str, String)>), Vec<(String, &'static str)>>;

    fn creation(body: Value) -> Read {
        let Value::Object(body) = body else { panic!("a body is an object") };
        Profile::for_creation(body).map_err(|error| match error {
            Error::Invalid(list) => list.into_iter().map(|it| (it.field, it.message)).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn values_are_trimmed_and_empty_optional_ones_left_out() {
        let (email, values) =
            creation(json!({ "company": " ACME ", "email": " a@b.example ", "name": "  ", "city": "Brest" })).unwrap();
        assert_eq!(email.as_typed(), "a@b.example");
        assert_eq!(values, [("company", "ACME".to_owned()), ("city", "Brest".to_owned())]);
    }

    #[test]
    fn every_bad_field_is_told_at_once() {
        let problems = creation(json!({
            "company": "", "email": "nobody", "name": 7, "city": "a\u{7}b", "zip": "9".repeat(201), "website": "ftp://x.example",
            "extra": "x",
        }))
        .unwrap_err();
        let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["city", "company", "email", "extra", "name", "website", "zip"]);
    }

    #[test]
    fn what_cannot_be_seen_does_not_pass_for_something_else() {
        let problem = |name: &str| creation(json!({ "company": "A", "email": "a@b.example", "name": name })).err();
        for name in ["Ada\u{202e}evil", "Ada\u{61c}", "a\u{feff}b", "a\u{2028}b", "a\u{e0061}"] {
            let message = "Must not hold characters that turn, break or tag text unseen.";
            assert_eq!(problem(name), Some(vec![("name".to_owned(), message)]), "{name:?}");
        }
        for name in ["\u{200b}", "\u{200d}", "\u{ad}\u{3164}", "\u{2800}"] {
            let message = "Must hold something that can be seen.";
            assert_eq!(problem(name), Some(vec![("name".to_owned(), message)]), "{name:?}");
        }
        for name in ["می\u{200c}خواهم", "👩\u{200d}💻", "עדה", "a\u{ad}b"] {
            assert_eq!(problem(name), None, "{name:?}");
        }
    }

    #[test]
    fn company_and_address_are_required() {
        let problems = creation(json!({})).unwrap_err();
        assert_eq!(problems, [("company".to_owned(), REQUIRED), ("email".to_owned(), REQUIRED)]);
    }

    #[test]
    fn a_website_is_an_http_url() {
        assert!(creation(json!({ "company": "A", "email": "a@b.example", "website": "https://a.example/x" })).is_ok());
        for website in ["javascript:alert(1)", "a.example", "http://", "https:"] {
            assert!(
                creation(json!({ "company": "A", "email": "a@b.example", "website": website })).is_err(),
                "{website}"
            );
        }
    }
}
