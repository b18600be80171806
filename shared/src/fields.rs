//! The fields of a JSON object, read strictly: every one is taken by name, what is left over is an error, and all that
//! is wrong is told at once.

mod sent;

pub use sent::Sent;
use serde_json::{Map, Value};

use crate::error::Violation;

/// What a field that must be there is told when it is not.
pub const REQUIRED: &str = "Is required.";
/// What a value of another type is told.
pub const NO_STRING: &str = "Must be a string.";
/// What a field that came more than once is told.
pub const REPEATED: &str = "Must be given once.";

/// As many characters of an unknown field's name go back to the caller; every real name is shorter.
const ECHOED: usize = 64;

/// What a value is turned into, or a sentence on what is wrong with it.
pub type Parsed<T> = Result<T, &'static str>;

/// The fields that were not taken yet, and what was wrong with those that were.
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    violations: Vec<Violation>,
}

impl Fields {
    /// The fields of an object.
    #[must_use]
    pub const fn of(object: Map<String, Value>) -> Self {
        Self { left: object, violations: Vec::new() }
    }

    /// The fields of what was sent, if that is an object. One that was given more than once is bad.
    #[must_use]
    pub fn sent(sent: Sent) -> Option<Self> {
        let Value::Object(left) = sent.value else { return None };
        let violations = sent.repeated.iter().map(|name| Violation { field: echo(name), message: REPEATED }).collect();
        Some(Self { left, violations })
    }

    /// Whether there is a field of this name that was not taken yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Takes a field that may be missing.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        let value = self.left.remove(name)?;
        parse(&value).map_err(|message| self.refuse(name, message)).ok()
    }

    /// Takes a field that may be missing, or `null` to take away what is there.
    pub fn removable<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<Option<T>> {
        self.optional(name, |value| if value.is_null() { Ok(None) } else { parse(value).map(Some) })
    }

    /// Takes a field that must be there.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        if !self.has(name) {
            self.refuse(name, REQUIRED);
        }
        self.optional(name, parse)
    }

    /// Takes an object, whose fields `read` takes in turn.
    pub fn object<T>(
        &mut self,
        name: &str,
        unknown: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        let left = match self.left.remove(name)? {
            Value::Object(left) => left,
            Value::Null => return Some(None),
            _ => {
                self.refuse(name, "Must be an object.");
                return None;
            }
        };
        let mut inner = Self::of(left);
        let value = read(&mut inner);
        for Violation { field, message } in inner.all_violations(unknown) {
            self.violations.push(Violation { field: format!("{name}.{field}"), message });
        }
        value.map(Some)
    }

    /// Notes that a field is bad.
    pub fn refuse(&mut self, name: &str, message: &'static str) {
        self.violations.push(Violation { field: name.to_owned(), message });
    }

    /// What `build` makes of the fields that were taken, if all of them were good and none is left over. `unknown` is
    /// what a field that is left over is told.
    ///
    /// # Errors
    /// Every bad field, unknown ones last.
    pub fn finish<T>(self, unknown: &'static str, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<Violation>> {
        let violations = self.all_violations(unknown);
        match build() {
            Some(value) if violations.is_empty() => Ok(value),
            _ => Err(violations),
        }
    }

    fn all_violations(self, unknown: &'static str) -> Vec<Violation> {
        let unknown = self.left.keys().map(|name| Violation { field: echo(name), message: unknown });
        self.violations.into_iter().chain(unknown).collect()
    }
}

/// A name that a caller made up, as it goes back.
fn echo(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).take(ECHOED).collect()
}

/// A string.
///
/// # Errors
/// [`NO_STRING`].
pub fn string(value: &Value) -> Parsed<&str> {
    value.as_str().ok_or(NO_STRING)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(object: Value) -> Fields {
        let Value::Object(object) = object else { panic!("an object") };
        Fields::of(object)
    }

    fn name(value: &Value) -> Parsed<String> {
        string(value).map(str::to_owned)
    }

    #[test]
    fn every_bad_field_is_named_at_once() {
        let mut fields = fields(json!({ "name": 7, "other": 1, "brand": { "name": 8, "x": 1 } }));
        let (one, two) = (fields.required("name", name), fields.required("key", name));
        let brand = fields.object("brand", "Is none of the brand.", |brand| brand.required("name", name));
        let refused = fields.finish("Is unknown.", || Some((one?, two?, brand?))).unwrap_err();
        let told: Vec<_> = refused.iter().map(|it| (&*it.field, it.message)).collect();
        let expected = [
            ("name", NO_STRING),
            ("key", REQUIRED),
            ("brand.name", NO_STRING),
            ("brand.x", "Is none of the brand."),
            ("other", "Is unknown."),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn null_takes_away() {
        let mut fields = fields(json!({ "name": null }));
        assert_eq!(fields.removable("name", name), Some(None));
        assert!(fields.finish("Is unknown.", || Some(())).is_ok());
    }

    #[test]
    fn an_unknown_name_goes_back_in_part_and_without_control_characters() {
        let refused = fields(json!({ "a\nb": 1, "é".repeat(100): 1 })).finish("Is unknown.", || Some(())).unwrap_err();
        assert_eq!(refused[0].field, "ab");
        assert_eq!(refused[1].field, "é".repeat(64));
    }
}
