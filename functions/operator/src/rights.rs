//! What a caller may do: IAM cannot see a command, but it decides by which name the function is called.
//!
//! template.yaml makes the names, which are aliases, and a policy for each.

use crate::OperatorError;

/// What a command does, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// It only shows.
    Look,
    /// It changes what another command can change back.
    Change,
    /// It cannot be taken back.
    Erase,
}

/// Refuses a command that needs more than the name of the call allows.
pub fn check(invoked_function_arn: &str, command: &str) -> Result<(), OperatorError> {
    // arn:aws:lambda:eu-west-1:123456789012:function:operator, and behind another colon the alias.
    let alias = invoked_function_arn.split(':').nth(7);
    let allowed = match alias {
        // Under its own name, or under that of its only version, the function does everything.
        None | Some("$LATEST" | "erase") => Some(Right::Erase),
        Some("change") => Some(Right::Change),
        Some("look") => Some(Right::Look),
        Some(_) => None,
    };
    if allowed >= Some(needed(command)) {
        return Ok(());
    }
    Err(OperatorError::NotAllowed(format!("{command} is not allowed under the alias {}.", alias.unwrap_or_default())))
}

/// What a command needs. One that is not named here changes something.
fn needed(command: &str) -> Right {
    match command {
        "show_app" | "show_platform" | "show_customer" | "list_apps" | "list_platforms" => Right::Look,
        "erase_customer" => Right::Erase,
        _ => Right::Change,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_allows_its_commands_and_no_more() {
        let function = "arn:aws:lambda:eu-west-1:123456789012:function:operator";
        for (alias, allowed) in [
            ("", ["show_app", "create_app", "erase_customer"].as_slice()),
            (":$LATEST", &["show_app", "create_app", "erase_customer"]),
            (":erase", &["show_app", "create_app", "erase_customer"]),
            (":change", &["show_app", "create_app"]),
            (":look", &["show_app"]),
            (":12", &[]),
            (":", &[]),
            (":LOOK", &[]),
        ] {
            for command in ["show_app", "create_app", "erase_customer"] {
                let checked = check(&format!("{function}{alias}"), command).is_ok();
                assert_eq!(checked, allowed.contains(&command), "{command} under {alias:?}");
            }
        }
    }
}
