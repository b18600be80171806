//! `cargo run -p tools -- COMMAND`: one command for each thing that is generated or checked.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use tools::{commands, emulator, fixtures, trial, unused_permissions};

/// Generates files of this repository, and checks it.
#[derive(Parser)]
#[command(name = "tools")]
enum Command {
    /// Prints `events/fixtures.json`.
    Fixtures,
    /// Prints the table of `docs/operations.md` of the operator's commands.
    Commands,
    /// Sends every event to the built functions, under Lambda's Runtime Interface Emulator.
    Emulator {
        /// The emulator's executable, which comes with the SAM CLI.
        rie: PathBuf,
        /// Where `sam build` has left the functions.
        build: PathBuf,
    },
    /// Sends every event to functions that somebody else runs, against backends on these addresses.
    Events {
        /// Where a function is called; NAME stands for its name, `LOGICAL_ID` for its name in the template.
        url: String,
        /// Address of the mailbox.
        #[arg(long)]
        mail: String,
        /// Address of DynamoDB.
        #[arg(long)]
        dynamodb: String,
    },
    /// Sends every event to the functions of a deployment.
    Deployed {
        /// Where it is: what `./check rehearsal` writes for it.
        file: PathBuf,
        /// An event that has another answer there, as `operator/create_app`.
        #[arg(long)]
        otherwise: Vec<String>,
    },
    /// Names the permissions that the template grants and no test has used.
    UnusedPermissions {
        /// What the tests have written where `PERMISSIONS_RECORD` said.
        record: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Command::parse() {
        Command::Fixtures => {
            writeln!(std::io::stdout().lock(), "{:#}", fixtures::all())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Commands => {
            write!(std::io::stdout().lock(), "{}", commands::table())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Emulator { rie, build } => emulator::run(&rie, &build).await,
        Command::Events { url, mail, dynamodb } => trial::run(&url, mail, dynamodb).await,
        Command::Deployed { file, otherwise } => trial::run_deployed(&file, &otherwise).await,
        Command::UnusedPermissions { record } => unused_permissions::run(&record),
    }
}
