//! Settings from the environment, where `template.yaml` puts them.
#![expect(clippy::disallowed_methods, reason = "this is the room of the environment")]

use std::{env, time::Duration};

use lambda_runtime::Error;

/// The value of a variable that the function cannot do without.
///
/// # Errors
/// Names the variable when it is missing, empty or not UTF-8.
pub fn required(name: &str) -> Result<String, Error> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!("The environment variable {name} is missing or empty.").into()),
    }
}

/// The value of a variable that may be missing; empty counts as missing.
#[must_use]
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A length of time, from a variable that holds whole seconds.
///
/// # Errors
/// Names the variable when it is missing or not a whole number.
pub fn seconds(name: &str) -> Result<Duration, Error> {
    let value = required(name)?;
    let seconds =
        value.parse().map_err(|_| format!("The environment variable {name} is not a whole number of seconds."))?;
    Ok(Duration::from_secs(seconds))
}

/// A switch, from a variable that holds `true` or `false`.
///
/// # Errors
/// Names the variable when it is missing or holds anything else.
pub fn switch(name: &str) -> Result<bool, Error> {
    match required(name)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("The environment variable {name} is neither true nor false.").into()),
    }
}
