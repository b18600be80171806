//! What a caller may do: IAM cannot see a command, but it decides by which name the function is called.
//!
//! template.yaml makes the names, which are aliases, and a policy for each.

use operator_commands::{Command, Effect};

use crate::OperatorError;

/// Refuses a command that needs more than the name of the call allows.
pub fn check(invoked_function_arn: &str, command: &Command) -> Result<(), OperatorError> {
    // arn:aws:lambda:eu-west-1:123456789012:function:operator, and behind another colon the alias.
    let alias = invoked_function_arn.split(':').nth(7);
    let allowed = match alias {
        // Under its own name, or under that of its only version, the function does everything.
        None | Some("$LATEST" | "erase") => Some(Effect::Erases),
        Some("change") => Some(Effect::Changes),
        Some("look") => Some(Effect::Reads),
        Some(_) => None,
    };
    if allowed >= Some(command.effect) {
        return Ok(());
    }
    Err(OperatorError::NotAllowed(format!(
        "{} is not allowed under the alias {}.",
        command.name,
        alias.unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use operator_commands::find;

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
                let checked = check(&format!("{function}{alias}"), find(command).unwrap()).is_ok();
                assert_eq!(checked, allowed.contains(&command), "{command} under {alias:?}");
            }
        }
    }
}
