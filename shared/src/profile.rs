//! What a customer's record says about them, and how it is read from a JSON object: all that is wrong is told at once.

use serde_json::Value;
use url::Url;

use crate::{
    Error, Result,
    email::{self, EmailAddress},
    fields::{Fields, Parsed, REQUIRED, string},
    language, visible,
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
    /// What is kept of a text, where not every one is taken.
    form: Option<fn(&str) -> Parsed<String>>,
}

const fn field(name: &'static str) -> Field {
    Field { name, required: false, max_characters: 200, too_long: "Must be at most 200 characters long.", form: None }
}

/// Every field besides the address, in the order in which a record shows them.
pub const FIELDS: [Field; 10] = [
    Field { required: true, ..field("company") },
    field("name"),
    Field { max_characters: 500, too_long: "Must be at most 500 characters long.", ..field("address") },
    field("country"),
    field("city"),
    field("zip"),
    field("state"),
    field("phone"),
    Field {
        max_characters: 2048,
        too_long: "Must be at most 2,048 characters long.",
        form: Some(website),
        ..field("website")
    },
    Field {
        max_characters: language::MAX_CHARACTERS,
        too_long: "Must be at most 35 characters long.",
        form: Some(language),
        ..field(LANGUAGE)
    },
];

/// The field that tells the language of a customer's mails.
pub const LANGUAGE: &str = "language";

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
    /// Reads the body of a creation, for which `company` and `email` are required. `check_address` says what is wrong with
    /// an address that is one.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field.
    pub fn for_creation(
        mut fields: Fields,
        check_address: impl FnOnce(&EmailAddress) -> Parsed<()>,
    ) -> Result<(EmailAddress, Vec<(&'static str, String)>)> {
        let email = fields.required("email", |value| {
            let address = read_email(value)?;
            check_address(&address).map(|()| address)
        });
        let mut values = Vec::new();
        for field in &FIELDS {
            let read = |value: &Value| field.read(value);
            let value =
                if field.required { fields.required(field.name, read) } else { fields.optional(field.name, read) };
            values.extend(value.flatten().map(|value| (field.name, value)));
        }
        fields.finish(UNKNOWN, || Some((email?, values))).map_err(Error::invalid_fields)
    }

    /// Reads a JSON Merge Patch (RFC 7396) of all fields but the address.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field.
    pub fn for_patch(mut fields: Fields) -> Result<Vec<(&'static str, Option<String>)>> {
        for name in ["cuid", "email"] {
            let _: Option<()> = fields.optional(name, |_| Err("Cannot be changed by this call."));
        }
        let values = Self::take_values(&mut fields);
        fields.finish(UNKNOWN, || Some(values)).map_err(Error::invalid_fields)
    }

    /// Takes the fields of a change: any of them, `null` or an empty one to take it away.
    pub fn take(fields: &mut Fields) -> Self {
        Self { email: fields.optional("email", read_email), values: Self::take_values(fields) }
    }

    fn take_values(fields: &mut Fields) -> Vec<(&'static str, Option<String>)> {
        let mut taken = Vec::new();
        for field in &FIELDS {
            let read = |value: &Value| if value.is_null() { field.empty() } else { field.read(value) };
            taken.extend(fields.optional(field.name, read).map(|value| (field.name, value)));
        }
        taken
    }
}

impl Field {
    fn read(&self, value: &Value) -> Parsed<Option<String>> {
        let text = string(value)?.trim();
        if text.is_empty() {
            return self.empty();
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
        self.form.map_or_else(|| Ok(text.to_owned()), |form| form(text)).map(Some)
    }

    /// What an empty value comes to: that there is none, where there need not be one.
    const fn empty(&self) -> Parsed<Option<String>> {
        if self.required { Err(REQUIRED) } else { Ok(None) }
    }
}

fn read_email(value: &Value) -> Parsed<EmailAddress> {
    let text = string(value)?.trim();
    if text.is_empty() { Err(REQUIRED) } else { EmailAddress::parse(text).ok_or(email::GRAMMAR) }
}

/// A language tag as it was written.
fn language(text: &str) -> Parsed<String> {
    if language::is_tag(text) { Ok(text.to_owned()) } else { Err(language::GRAMMAR) }
}

/// An http or https URL as a parser writes it, where that is a URI of RFC 3986: a strict client refuses a whole list for
/// one that is none.
fn website(text: &str) -> Parsed<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or("Must be an http or https URL.")?;
    let parts = [url.username(), url.password().unwrap_or_default(), url.path()];
    let parts = parts.into_iter().chain(url.query()).chain(url.fragment());
    if url.as_str().len() <= 2048 && parts.into_iter().all(is_of_a_uri) {
        Ok(url.into())
    } else {
        Err("Must be an http or https URL without characters that a URI must encode, such as | or a % on its own.")
    }
}

/// Whether a path, a query or a fragment holds only what RFC 3986 lets stand there.
fn is_of_a_uri(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte);
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let encoded = byte == b'%' && rest.by_ref().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        if !plain(byte) && !encoded {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Read = Result<(EmailAddress, Vec<(&'static str, String)>), Vec<(String, &'static str)>>;

    fn creation(body: Value) -> Read {
        let Value::Object(body) = body else { panic!("a body is an object") };
        Profile::for_creation(Fields::of(body), |_| Ok(())).map_err(|error| match error {
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

    fn with_field(name: &str, value: &str) -> Result<String, &'static str> {
        match creation(json!({ "company": "A", "email": "a@b.example", name: value })) {
            Ok((_, values)) => Ok(values.into_iter().find(|(field, _)| *field == name).unwrap().1),
            Err(problems) => Err(problems[0].1),
        }
    }

    #[test]
    fn a_website_is_kept_as_a_parser_writes_it() {
        for (typed, kept) in [
            ("https://a.example/x", "https://a.example/x"),
            ("HTTPS://A.example", "https://a.example/"),
            ("https:\\\\a.example\\b", "https://a.example/b"),
            ("https://bücher.example/ü?q=ü#ü", "https://xn--bcher-kva.example/%C3%BC?q=%C3%BC#%C3%BC"),
            ("http://a.example/%20(x)?a=b&c=d/?", "http://a.example/%20(x)?a=b&c=d/?"),
        ] {
            assert_eq!(with_field("website", typed).unwrap(), kept);
        }
    }

    #[test]
    fn a_website_that_is_no_uri_is_refused() {
        for website in [
            "javascript:alert(1)",
            "a.example",
            "http://",
            "https:",
            "https://a.example/|",
            "https://a.example/%zz",
            "https://a.example/%2",
            "https://a.example/[x]",
            "https://a.example/?a=^",
            "https://a.example/?a=`#b|",
        ] {
            assert!(with_field("website", website).is_err(), "{website}");
        }
    }

    #[test]
    fn a_language_is_a_tag() {
        assert_eq!(with_field("language", "pt-BR").unwrap(), "pt-BR");
        assert_eq!(with_field("language", "French!").unwrap_err(), language::GRAMMAR);
    }

    #[test]
    fn a_patch_sets_and_takes_away_and_leaves_the_rest() {
        let patch = |body: Value| match body {
            Value::Object(body) => Profile::for_patch(Fields::of(body)),
            _ => panic!("an object"),
        };
        let changes = patch(json!({ "company": " B ", "name": null, "city": "" })).unwrap();
        assert_eq!(changes, [("company", Some("B".to_owned())), ("name", None), ("city", None)]);
        assert!(patch(json!({})).unwrap().is_empty());
        let Err(Error::Invalid(refused)) =
            patch(json!({ "company": null, "email": "a@b.example", "cuid": "x", "zip": 1, "y": null }))
        else {
            panic!("it is refused")
        };
        let fields: Vec<_> = refused.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["company", "cuid", "email", "y", "zip"]);
    }
}
