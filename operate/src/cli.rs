//! What can be typed: the table of the commands, as clap takes it.

use std::io::Write;

use anyhow::Result;
use clap::{
    Arg, ArgAction, Command,
    builder::{PossibleValuesParser, ValueParser},
    value_parser,
};
use clap_complete::{Shell, generate};
use operator_commands::{COMMANDS, Field, Id};

/// Columns of a terminal, and of a field's name in a list of them.
const WIDTH: usize = 80;
const HINT: usize = 24;
const ABOUT: &str = "Gives a command to the operator's function.\n\n\
    Fields are name=text, or name:=json for anything that is no text; a dot goes into an object.";
const EXAMPLE: &str = "Example: operate create_app name='My App' 'grants:=[\"passcode\"]' brand.name=Acme\n\
    `operate completion bash` (zsh, fish) prints what a shell completes commands and fields by.";

/// All that can be typed.
pub fn command() -> Command {
    with_fields(|_| value_parser!(String))
}

fn with_fields(parser: impl Fn(&operator_commands::Command) -> ValueParser) -> Command {
    let option = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).global(true);
    let shells = Arg::new("shell").required(true).value_parser(value_parser!(Shell));
    let commands = COMMANDS.iter().map(|it| {
        let hints = it.fields().map(|field| {
            let optional = if field.required { "required: " } else { "" };
            format!("  {:HINT$}{}\n", typed(field), hanging(&format!("{optional}{}", field.hint)))
        });
        let fields = Arg::new("fields").value_name("FIELD=VALUE").num_args(0..).value_parser(parser(it));
        let fields = fields.help("Its fields, told below").hide_possible_values(true);
        // A list shows the first sentence.
        let short = it.does.split_once(". ").map_or(it.does, |(first, _)| first).trim_end_matches('.');
        let command = Command::new(it.name).about(short).long_about(it.does).arg(fields);
        let wait = Arg::new("wait").long("wait").action(ArgAction::SetTrue);
        let wait = wait.help("Ask again until SES has verified the sender's domain, and tell it");
        let command = if it.id == Id::SetSender { command.arg(wait) } else { command };
        command.after_help(format!("Fields:\n{}", hints.collect::<String>()))
    });
    Command::new("operate")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(EXAMPLE)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(option("api", "The local system's API").value_name("URL").default_value("http://127.0.0.1:9000"))
        .arg(
            option("function", "A deployed operator's function, called through the AWS CLI")
                .value_name("NAME")
                .conflicts_with("api"),
        )
        .arg(option("json", "Print the answer as JSON").action(ArgAction::SetTrue))
        .arg(option("yes", "Do not ask before something is erased").action(ArgAction::SetTrue))
        .subcommands(commands)
        .subcommand(Command::new("completion").about("Prints what a shell completes by").arg(shells))
}

/// How a field begins when it is typed.
fn typed(field: &Field) -> String {
    format!("{}{}", field.name, if field.json.is_some() { ":=" } else { "=" })
}

/// A field's hint in lines of its own column.
fn hanging(hint: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in hint.split(' ') {
        if column > 0 && column + 1 + word.len() > WIDTH - HINT - 2 {
            text.extend(["\n", &" ".repeat(HINT + 2)]);
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += word.len();
    }
    text
}

/// Prints what this shell completes by.
///
/// # Errors
/// When nobody reads it.
pub fn complete(shell: Shell) -> Result<()> {
    let mut command = with_fields(|it| {
        // clap keeps names for good; the process ends once the script is printed.
        PossibleValuesParser::new(it.fields().map(|field| &*typed(field).leak())).into()
    });
    let mut script = Vec::new();
    generate(shell, &mut command, "operate", &mut script);
    match shell {
        // What follows the equals sign is typed without a space.
        Shell::Bash => script.extend_from_slice(
            b"_operate_fields() { _operate \"$@\"; [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace; }\n\
              complete -F _operate_fields -o bashdefault -o default operate\n",
        ),
        // clap's script for fish completes options and commands alone.
        Shell::Fish => {
            for it in COMMANDS {
                let names: Vec<String> = it.fields().map(typed).collect();
                let (name, names) = (it.name, names.join(" "));
                let within = format!("__fish_operate_using_subcommand {name}");
                writeln!(script, "complete -c operate -n \"{within}\" -f -a \"{names}\"")?;
            }
        }
        _ => {}
    }
    Ok(std::io::stdout().lock().write_all(&script)?)
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_command_that_is_almost_right_is_suggested() {
        command().debug_assert();
        let refusal = command().try_get_matches_from(["operate", "list-apps"]).unwrap_err().to_string();
        assert!(refusal.contains("'list_apps'"), "{refusal}");
    }

    #[test]
    fn help_tells_of_each_field() {
        let help = command().try_get_matches_from(["operate", "help", "create_app"]).unwrap_err().to_string();
        assert!(help.contains("name=") && help.contains("required: the App's name"), "{help}");
        assert!(help.contains("grants:=") && help.contains("Its supertoken is shown this once."), "{help}");
        let list = command().render_help().to_string();
        assert!(list.contains("Gives a partner an App\n"), "one sentence each: {list}");
        for it in operator_commands::COMMANDS {
            let help = command().term_width(80).try_get_matches_from(["operate", "help", it.name]).unwrap_err();
            let widest = help.to_string().lines().map(str::len).max();
            assert!(widest <= Some(80), "{help}");
        }
    }
}
