//! What a customer's record says about them, and how it is read from a JSON object: all that is wrong is told at once.

use serde_json::{Map, Value};
use url::Url;

use crate::{
    Error, Result,
    email::{self, EmailAddress},
    error::Violation,
};

/// A field of the record besides the address.
struct Field {
    name: &'static str,
    max_characters: usize,
    too_long: &'static str,
}

const fn field(name: &'static str) -> Field {
    Field { name, max_characters: 200, too_long: "Must be at most 200 characters long." }
}

/// Every field in the order in which a record shows them. Only `company` is required.
const FIELDS: [Field; 9] = [
    field("company"),
    field("name"),
    Field { name: "address", max_characters: 500, too_long: "Must be at most 500 characters long." },
    field("country"),
    field("city"),
    field("zip"),
    field("state"),
    field("phone"),
    Field { name: "website", max_characters: 2048, too_long: "Must be at most 2,048 characters long." },
];

const REQUIRED: &str = "Is required.";

/// The names of the fields, in the order in which a record shows them.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}

/// The fields of a request that passed: trimmed, within bounds, known.
#[derive(Debug, Default)]
pub struct Fields {
    /// The address, where one was sent.
    pub email: Option<EmailAddress>,
    /// What was sent of the others; `None` for an empty one, which means absent.
    pub values: Vec<(&'static str, Option<String>)>,
}

impl Fields {
    /// Reads the body of a creation, for which `company` and `email` are required.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field.
    pub fn for_creation(body: &Map<String, Value>) -> Result<(EmailAddress, Vec<(&'static str, String)>)> {
        let (fields, mut violations) = Self::read(body);
        for name in ["company", "email"] {
            if !body.contains_key(name) {
                violations.push(violation(name, REQUIRED));
            }
        }
        match fields.email {
            Some(email) if violations.is_empty() => {
                let given = fields.values.into_iter().filter_map(|(name, value)| Some((name, value?)));
                Ok((email, given.collect()))
            }
            _ => Err(Error::Invalid(violations)),
        }
    }

    /// Reads a change: any of the fields, an empty one to take it away.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field.
    pub fn for_change(body: &Map<String, Value>) -> Result<Self> {
        let (fields, violations) = Self::read(body);
        if violations.is_empty() { Ok(fields) } else { Err(Error::Invalid(violations)) }
    }

    fn read(body: &Map<String, Value>) -> (Self, Vec<Violation>) {
        let mut fields = Self::default();
        let mut violations = Vec::new();
        for (name, value) in body {
            let problem = match FIELDS.iter().find(|field| field.name == name) {
                Some(field) => field.read(value).map(|value| fields.values.push((field.name, value))),
                None if name == "email" => read_email(value).map(|email| fields.email = Some(email)),
                None => Err("Is not a field of a customer."),
            };
            if let Err(message) = problem {
                violations.push(violation(name, message));
            }
        }
        (fields, violations)
    }
}

impl Field {
    fn read(&self, value: &Value) -> Result<Option<String>, &'static str> {
        let text = value.as_str().ok_or("Must be a string.")?.trim();
        if text.is_empty() {
            return if self.name == "company" { Err(REQUIRED) } else { Ok(None) };
        }
        if text.chars().any(char::is_control) {
            return Err("Must not hold control characters.");
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

fn read_email(value: &Value) -> Result<EmailAddress, &'static str> {
    let text = value.as_str().ok_or("Must be a string.")?.trim();
    if text.is_empty() { Err(REQUIRED) } else { EmailAddress::parse(text).ok_or(email::GRAMMAR) }
}

fn is_website(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A field's name comes from the caller: as much of it as any real one has goes back.
fn violation(name: &str, message: &'static str) -> Violation {
    Violation { field: name.chars().take(64).collect(), message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Read = Result<(EmailAddress, Vec<(&'static str, String)>), Vec<(String, &'static str)>>;

    fn creation(body: Value) -> Read {
        let Value::Object(body) = body else { panic!("a body is an object") };
        Fields::for_creation(&body).map_err(|error| match error {
            Error::Invalid(list) => list.into_iter().map(|it| (it.field, it.message)).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn values_are_trimmed_and_empty_optional_ones_left_out() {
        let (email, values) =
            creation(json!({ "company": " ACME ", "email": " a@b.example ", "name": "  ", "city": "Brest" })).unwrap();
        assert_eq!(email.as_typed(), "a@b.example");
        assert_eq!(values, [("city", "Brest".to_owned()), ("company", "ACME".to_owned())]);
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
