//! The table of the operator's commands for people.

use std::fmt::Write as _;

use operator_commands::COMMANDS;

/// A row of Markdown for each command: its name, what it does, and its fields, those that may be missing in brackets.
#[must_use]
pub fn table() -> String {
    let mut table = "| Command | What it does | Fields |\n|---|---|---|\n".to_owned();
    for command in COMMANDS {
        let field = |name: &str, required| if required { format!("`{name}`") } else { format!("[`{name}`]") };
        let mut fields: Vec<_> = command
            .fields()
            .map(|it| it.name.split_once('.').map_or((it.name, it.required), |(object, _)| (object, false)))
            .map(|(name, required)| field(name, required))
            .collect();
        fields.dedup();
        let (name, effect, does) = (command.name, command.effect.name(), command.does);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` ({effect}) | {does} | {} |", fields.join(", "));
    }
    table
}
