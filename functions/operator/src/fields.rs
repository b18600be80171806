//! The fields of a command, read strictly: every one is taken by name, and what is left over is an error.

use serde_json::{Map, Value};

use crate::OperatorError;

/// The fields that were not taken yet, and what was wrong with those that were.
pub struct Fields {
    left: Map<String, Value>,
    problems: Vec<String>,
}

/// What a value is turned into, or what is wrong with it: a phrase that follows the field's name.
pub type Parsed<T> = Result<T, &'static str>;

impl Fields {
    /// The command of an event, and its fields.
    pub fn of(event: Value) -> Result<(String, Self), OperatorError> {
        let Value::Object(mut left) = event else {
            return Err(OperatorError::Invalid("A command is a JSON object.".to_owned()));
        };
        match left.remove("command") {
            Some(Value::String(command)) => Ok((command, Self { left, problems: Vec::new() })),
            _ => Err(OperatorError::Invalid("command is required and must be a string.".to_owned())),
        }
    }

    /// Takes a field that may be missing.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        let value = self.left.remove(name)?;
        parse(&value).map_err(|problem| self.problems.push(format!("{name} {problem}."))).ok()
    }

    /// Takes a field that may be missing, or `null` to take away what is there.
    #[expect(clippy::option_option, reason = "absent, null and given are three things")]
    pub fn removable<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<Option<T>> {
        self.optional(name, |value| if value.is_null() { Ok(None) } else { parse(value).map(Some) })
    }

    /// Takes a field that must be there.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        if !self.left.contains_key(name) {
            self.problems.push(format!("{name} is required."));
        }
        self.optional(name, parse)
    }

    /// Takes an object, whose fields `read` takes in turn.
    #[expect(clippy::option_option, reason = "absent, null and given are three things")]
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        let left = match self.left.remove(name)? {
            Value::Object(left) => left,
            Value::Null => return Some(None),
            _ => {
                self.problems.push(format!("{name} must be an object."));
                return None;
            }
        };
        let mut inner = Self { left, problems: Vec::new() };
        let value = read(&mut inner);
        self.problems.extend(inner.all_problems().into_iter().map(|problem| format!("{name}.{problem}")));
        value.map(Some)
    }

    /// Takes whatever is left.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.left)
    }

    /// What `build` makes of the fields that were taken, if all of them were good and none is left over.
    ///
    /// # Errors
    /// [`OperatorError::Invalid`] that names every bad field.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, OperatorError> {
        let problems = self.all_problems();
        match build() {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(OperatorError::Invalid(problems.join(" "))),
        }
    }

    fn all_problems(self) -> Vec<String> {
        let unknown = self.left.keys().map(|name| {
            let name: String = name.chars().filter(|char| !char.is_control()).take(64).collect();
            format!("{name} is not a field of this command.")
        });
        self.problems.into_iter().chain(unknown).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::values::name;

    fn fields(event: Value) -> Fields {
        Fields::of(event).unwrap_or_else(|error| panic!("{error:?}")).1
    }

    fn refusal<T>(result: Result<T, OperatorError>) -> String {
        match result {
            Err(OperatorError::Invalid(message)) => message,
            _ => panic!("a refusal"),
        }
    }

    #[test]
    fn every_bad_field_is_named_at_once() {
        let mut fields = fields(json!({ "command": "c", "name": 7, "other": 1, "brand": { "name": "" , "x": 1 } }));
        let (one, two) = (fields.required("name", name), fields.required("superkey", name));
        let brand = fields.object("brand", |brand| brand.required("name", name));
        assert_eq!(
            refusal(fields.finish(|| Some((one?, two?, brand?)))),
            "name must be a string. superkey is required. brand.name must be 1 to 200 characters long. brand.x is not a \
             field of this command. other is not a field of this command."
        );
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for event in [json!(null), json!([]), json!({}), json!({ "command": 1 })] {
            assert!(Fields::of(event).is_err());
        }
    }

    #[test]
    fn null_takes_away() {
        let mut fields = fields(json!({ "command": "c", "name": null }));
        let taken = fields.removable("name", name);
        assert_eq!(taken, Some(None));
        assert!(fields.finish(|| Some(())).is_ok());
    }
}
