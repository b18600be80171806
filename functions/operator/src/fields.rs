//! A command as it comes, and its faults in words for the operator.

use serde_json::Value;
use shared::{error::Violation, fields::Fields};

use crate::OperatorError;

/// What a field that a command has not is told.
pub const UNKNOWN: &str = "Is not a field of this command.";

/// The command of an event, and its fields.
///
/// # Errors
/// [`OperatorError::Invalid`] for what is no command.
pub fn command(event: Value) -> Result<(String, Fields), OperatorError> {
    let Value::Object(mut fields) = event else {
        return Err(OperatorError::Invalid("A command is a JSON object.".to_owned()));
    };
    match fields.remove("command") {
        Some(Value::String(command)) => Ok((command, Fields::of(fields))),
        _ => Err(OperatorError::Invalid("command is required and must be a string.".to_owned())),
    }
}

/// What `build` makes of the fields that were taken, if all of them were good and none is left over.
///
/// # Errors
/// [`OperatorError::Invalid`] that names every bad field.
pub fn finish<T>(fields: Fields, build: impl FnOnce() -> Option<T>) -> Result<T, OperatorError> {
    fields.finish(UNKNOWN, build).map_err(|violations| {
        let problems: Vec<_> = violations.iter().map(in_words).collect();
        OperatorError::Invalid(problems.join(" "))
    })
}

/// `name` and `Must be a string.` make `name must be a string.`
fn in_words(Violation { field, message }: &Violation) -> String {
    let mut rest = message.chars();
    let first = rest.next().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
    format!("{field} {first}{}", rest.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::values::name;

    #[test]
    fn every_bad_field_is_named_in_one_text() {
        let (_, mut fields) = command(json!({ "command": "c", "name": 7, "other": 1 })).unwrap();
        let (one, two) = (fields.required("name", name), fields.required("superkey", name));
        match finish(fields, || Some((one?, two?))) {
            Err(OperatorError::Invalid(message)) => assert_eq!(
                message,
                "name must be a string. superkey is required. other is not a field of this command."
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for event in [json!(null), json!([]), json!({}), json!({ "command": 1 })] {
            assert!(command(event).is_err());
        }
    }
}
