//! The operator's terminal: gives one command to the function `operator`, here or in the cloud, and shows the answer.

mod cli;
mod event;
mod invoke;
mod show;

use std::{
    io::{BufRead, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use clap_complete::Shell;
use operator_commands::{Effect, Id, find};
use serde_json::{Value, json};
use terminal_size::{Width, terminal_size_of};

/// The secrets that an answer may hold.
const SECRETS: [&str; 3] = ["supertoken", "platformtoken", "token"];

/// How long `--wait` waits before it asks again, at first and at last.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

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
    let event = event.into();
    let answer = invoke(options, &event).await?;
    print(options, &answer)?;
    if command.id == Id::SetSender && arguments.get_flag("wait") {
        return wait(options, &event, answer).await;
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

fn print(options: &ArgMatches, answer: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if options.get_flag("json") {
        writeln!(out, "{answer:#}")?;
    } else {
        // Nobody's lines are broken but a person's.
        let room = terminal_size_of(std::io::stdout()).map_or(usize::MAX, |(Width(columns), _)| columns.into());
        write!(out, "{}", show::answer(answer, room))?;
    }
    Ok(())
}

/// Gives the command again until SES has verified the domain: a record of DNS takes minutes, or hours.
async fn wait(options: &ArgMatches, event: &Value, mut answer: Value) -> Result<()> {
    let mut pause = SHORTEST_PAUSE;
    while answer["status"] == "pending" {
        if pause == SHORTEST_PAUSE {
            let told = "Waiting until SES has found the records. Ctrl-C ends the waiting; set_sender asks again.";
            writeln!(std::io::stderr().lock(), "{told}")?;
            let address = show::cell(&answer["from_address"]);
            if let (None, Some((_, domain))) = (options.get_one::<String>("function"), address.split_once('@')) {
                let verify = format!("curl -X PUT $MAILBOX/identities/{domain}/verified");
                writeln!(std::io::stderr().lock(), "The local system looks into no DNS: say `{verify}`.")?;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        answer = invoke(options, event).await?;
        if answer["status"] != "pending" && options.get_flag("json") {
            print(options, &answer)?;
        }
    }
    let (true, address) = (answer["status"] == "active", show::cell(&answer["from_address"])) else { return Ok(()) };
    writeln!(std::io::stderr().lock(), "Verified: this App's passcodes come from {address} from now on.")?;
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
