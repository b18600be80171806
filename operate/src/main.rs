//! The operator's terminal: gives one command to the function `operator`, here or in the cloud, and shows the answer.

mod cli;
mod event;
mod invoke;
mod show;

use std::{
    io::{BufRead, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use clap_complete::Shell;
use operator_commands::{Effect, Id, find};
use serde_json::{Value, json};

/// The secrets that an answer may hold.
const SECRETS: [&str; 3] = ["supertoken", "platformtoken", "token"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&cli::command().get_matches()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "operate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &ArgMatches) -> Result<()> {
    let (name, arguments) = options.subcommand().context("no command")?;
    if name == "completion" {
        return cli::complete(*arguments.get_one::<Shell>("shell").context("no shell")?);
    }
    let command = find(name).context("no such command")?;
    let event = event::of(command, arguments.get_many::<String>("fields").into_iter().flatten())?;
    if command.effect == Effect::Erases
        && !options.get_flag("yes")
        && !confirmed(options, event.get("cuid").unwrap_or(&Value::Null)).await?
    {
        bail!("nothing was erased");
    }
    let one_pair = event.contains_key("key");
    let answer = invoke(options, &event.into()).await?;
    let mut out = std::io::stdout().lock();
    if options.get_flag("json") {
        writeln!(out, "{answer:#}")?;
    } else {
        write!(out, "{}", show::answer(&answer))?;
    }
    let said = match command.id {
        Id::RevokeCredentials if one_pair => "This pair is refused from now on. Others stay.",
        Id::RevokeCredentials => "Every pair, the living passcode and tickets are refused from now on.",
        _ if SECRETS.iter().any(|name| answer[name].is_string()) => {
            "The token is shown this once. Only its hash is kept."
        }
        _ => return Ok(()),
    };
    writeln!(std::io::stderr().lock(), "{said}")?;
    Ok(())
}

async fn invoke(options: &ArgMatches, event: &Value) -> Result<Value> {
    match options.get_one::<String>("function") {
        Some(function) => invoke::remote(function, event),
        None => invoke::local(options.get_one::<String>("api").context("no address")?, event).await,
    }
}

/// Names whom it is about, and asks.
async fn confirmed(options: &ArgMatches, cuid: &Value) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("this cannot be taken back and asks first; say --yes where nobody can answer");
    }
    let customer = invoke(options, &json!({ "command": "show_customer", "cuid": cuid })).await?;
    let [company, email, cuid] = ["company", "email", "cuid"].map(|name| show::cell(&customer[name]));
    write!(std::io::stderr().lock(), "Erase {company}, {email}, for good? Type the cuid ({cuid}) to confirm: ")?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    Ok(typed.trim() == cuid)
}
