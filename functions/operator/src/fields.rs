//! A command as it comes, and its faults in words for the operator.

use operator_commands::Command;
use shared::{
    error::Violation,
    fields::{Fields, REPEATED, Sent, string},
};

use crate::OperatorError;

/// What a field that a command has not is told.
pub const UNKNOWN: &str = "Is not a field of this command.";

/// Names of what a command is about. It changes other fields.
const SUBJECTS: [&str; 4] = ["superkey", "platformkey", "cuid", "key"];

/// A command as it was given.
#[derive(Debug)]
pub struct Given {
    /// Which one it is.
    pub command: &'static Command,
    /// Its fields.
    pub fields: Fields,
    /// The names of the fields that it is to change.
    pub changes: String,
}

/// The command of an event.
///
/// # Errors
/// [`OperatorError::Invalid`] for what is no command.
pub fn command(event: Sent) -> Result<Given, OperatorError> {
    let Some(mut fields) = Fields::sent(event) else {
        return Err(OperatorError::invalid("A command is a JSON object."));
    };
    let name = fields.optional("command", |name| string(name).map(str::to_owned));
    let name = name.ok_or_else(|| OperatorError::invalid("command is required and must be a string."))?;
    let command = operator_commands::find(&name).ok_or_else(|| OperatorError::invalid("Unknown command."))?;
    let known = command.fields().map(|field| field.name.split_once('.').map_or(field.name, |(object, _)| object));
    let mut changes: Vec<_> = known.filter(|name| !SUBJECTS.contains(name) && fields.has(name)).collect();
    changes.dedup();
    Ok(Given { command, changes: changes.join(","), fields })
}

/// What `build` makes of the fields that were taken, if all of them were good and none is left over.
///
/// # Errors
/// [`OperatorError::Invalid`] that names every bad field.
pub fn finish<T>(fields: Fields, build: impl FnOnce() -> Option<T>) -> Result<T, OperatorError> {
    fields.finish(UNKNOWN, build).map_err(|violations| {
        let told: Vec<_> = violations.iter().map(|it| in_words(&it.field, it.message)).collect();
        let logged: Vec<_> = violations.iter().map(discreetly).collect();
        OperatorError::Invalid { told: told.join(" "), logged: logged.join(" ") }
    })
}

/// As `in_words`, but for a name that is no field's.
fn discreetly(violation: &Violation) -> String {
    match violation.message {
        UNKNOWN => "A field is unknown.".to_owned(),
        REPEATED => "A field is given more than once.".to_owned(),
        message => in_words(&violation.field, message),
    }
}

/// `name` and `Must be a string.` make `name must be a string.`
pub fn in_words(field: &str, message: &str) -> String {
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
        let given = command(json!({ "command": "change_app", "name": 7, "other": 1 }).into()).unwrap();
        assert_eq!((given.command.name, &*given.changes), ("change_app", "name"));
        let mut fields = given.fields;
        let (one, two) = (fields.required("name", name), fields.required("superkey", name));
        match finish(fields, || Some((one?, two?))) {
            Err(OperatorError::Invalid { told, logged }) => {
                let known = "name must be a string. superkey is required.";
                assert_eq!(told, format!("{known} other is not a field of this command."));
                assert_eq!(logged, format!("{known} A field is unknown."));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for event in [json!(null), json!([]), json!({}), json!({ "command": 1 }), json!({ "command": "drop" })] {
            assert!(command(event.into()).is_err());
        }
    }
}
