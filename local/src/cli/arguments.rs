//! The options.

use std::path::PathBuf;

use clap::Parser;

use crate::terminal::Format;

/// Runs the whole Customers API on this machine: no account, no container.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(name = "local", version, next_line_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// Address of the API, its reference and the inspector; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub(super) api: String,
    /// Address of the mailbox, and of SES for the functions
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    pub(super) mail: String,
    /// Address of DynamoDB
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9002")]
    pub(super) dynamodb: String,
    /// Address of the demo site, a partner's, and of the demo platform
    /// [default: 127.0.0.1:9003, or a free port where another system has that]
    #[arg(long, value_name = "ADDRESS", verbatim_doc_comment)]
    pub(super) partner: Option<String>,
    /// Write addresses and demo credentials to this file, as JSON, once everything answers
    #[arg(long, value_name = "PATH")]
    pub(super) ready_file: Option<PathBuf>,
    /// Parameters of the template that are not to have their defaults
    #[arg(long, value_name = "NAME=VALUE", num_args = 1.., value_parser = pair)]
    pub(super) parameter_overrides: Vec<(String, String)>,
    /// A variable for every function; wins over the template
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) env: Vec<(String, String)>,
    /// Processes per function; calls beyond them queue
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) concurrency: u16,
    /// Stop each process between its calls, as Lambda does
    #[arg(long)]
    pub(super) freeze: bool,
    /// Enforce the template's `DefaultRouteSettings`
    #[arg(long)]
    pub(super) throttle: bool,
    /// Keep records, mails and credentials in this folder; without it all is in memory
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Keep the records in another DynamoDB, such as Amazon's DynamoDB Local;
    /// empty tables are made there at each start
    #[arg(long, value_name = "URL", conflicts_with = "data", verbatim_doc_comment)]
    pub(super) database: Option<String>,
    /// Start DynamoDB and the mailbox only, filled with events/fixtures.json
    #[arg(long)]
    pub(super) backends_only: bool,
    /// Build and run the functions as they are deployed, which takes longer to build
    #[arg(long)]
    pub(super) release: bool,
    /// What is told of each request: a line, or what the functions log
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(super) log: Format,
}

const EXAMPLES: &str = "\
Examples:
  cargo run -p local
  cargo run -p local -- --data ./data --parameter-overrides PasscodeTtlSeconds=60
  cargo run -p local -- --api 127.0.0.1:0 --mail 127.0.0.1:0 --dynamodb 127.0.0.1:0";

/// `NAME=VALUE`, or SAM's longer `ParameterKey=NAME,ParameterValue=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let longer = text.strip_prefix("ParameterKey=").and_then(|rest| rest.split_once(",ParameterValue="));
    let (name, value) = longer.or_else(|| text.split_once('=')).ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("expected NAME=VALUE".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, pair};

    #[test]
    fn pairs_are_written_as_in_sam() {
        let expected = Ok(("A".to_owned(), "b=c".to_owned()));
        assert_eq!(pair("A=b=c"), expected);
        assert_eq!(pair("ParameterKey=A,ParameterValue=b=c"), expected);
        assert!(pair("A").is_err());
        assert!(pair("=b").is_err());
    }

    #[test]
    fn overrides_may_follow_each_other() {
        let arguments = ["local", "--parameter-overrides", "A=1", "B=2", "--throttle", "--parameter-overrides", "C=3"];
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        assert_eq!(arguments.parameter_overrides.len(), 3);
        assert!(arguments.throttle);
        assert!(Arguments::try_parse_from(["local", "--concurrency", "0"]).is_err());
    }

    #[test]
    fn the_help_fits_a_terminal() {
        let help = Arguments::command().render_long_help().to_string();
        let widest = help.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 100, "{widest}");
    }
}
