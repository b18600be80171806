//! The command line: options, what is printed, and the way from start to signal.

use crate::{
    binaries,
    demo::{self, Demo},
    files, partner,
    servers::Servers,
    system::{self, Backends, Options, System},
};
use anyhow::{Context, Result};
use clap::Parser;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::TcpListener;

/// Runs the whole Customers API on this machine: no account, no container.
#[derive(Debug, Parser)]
#[command(name = "local", version)]
pub struct Arguments {
    /// Address of the API; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    api: String,
    /// Address of the mailbox, and of SES for the functions.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    mail: String,
    /// Address of DynamoDB.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9002")]
    dynamodb: String,
    /// Address of the demo App's site, which is a partner's app, and of the demo platform [default: 127.0.0.1:9003, or a
    /// free port where another system has that].
    #[arg(long, value_name = "ADDRESS")]
    partner: Option<String>,
    /// Write addresses and demo credentials to this file, as JSON, once everything answers.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Parameters of the template that are not to have their defaults.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1.., value_parser = pair)]
    parameter_overrides: Vec<(String, String)>,
    /// A variable for every function; wins over the template.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Processes per function; calls beyond them queue.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Stop each process between its calls, as Lambda does.
    #[arg(long)]
    freeze: bool,
    /// Enforce the template's `DefaultRouteSettings`.
    #[arg(long)]
    throttle: bool,
    /// Keep the data in this folder; without it everything is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep the records in another DynamoDB, such as Amazon's DynamoDB Local; empty tables are made there at each start.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    database: Option<String>,
    /// Start DynamoDB and the mailbox only, filled with events/fixtures.json.
    #[arg(long)]
    backends_only: bool,
    /// Build and run the functions as they are deployed, which takes longer to build.
    #[arg(long)]
    release: bool,
}

/// `NAME=VALUE`, or SAM's longer `ParameterKey=NAME,ParameterValue=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let longer = text.strip_prefix("ParameterKey=").and_then(|rest| rest.split_once(",ParameterValue="));
    let (name, value) = longer.or_else(|| text.split_once('=')).ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("expected NAME=VALUE".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Does what the arguments say, until the future is dropped.
///
/// # Errors
/// Whatever keeps the system from running, in words for a person.
pub async fn run(arguments: Arguments) -> Result<()> {
    let root = binaries::project_root()?;
    let template = root.join("template.yaml");
    let template = std::fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let options = Options {
        template,
        parameter_overrides: arguments.parameter_overrides.into_iter().collect(),
        api: arguments.api,
        mail: arguments.mail,
        dynamodb: arguments.dynamodb,
        environment: arguments.env.into_iter().collect::<BTreeMap<_, _>>(),
        concurrency: arguments.concurrency.into(),
        freeze: arguments.freeze,
        throttle: arguments.throttle,
        data: arguments.data,
        database: arguments.database,
        permissions_record: None,
        print_logs: true,
    };
    let ready = |state: &Value| match &arguments.ready_file {
        Some(file) => files::write_private(file, state.to_string().as_bytes()),
        None => Ok(()),
    };
    if arguments.backends_only {
        let backends = Backends::start(&options).await?;
        backends.tables.load(&read_json(&root.join("events/fixtures.json"))?)?;
        // The passcodes among the fixtures were made with its pepper.
        let fixed = read_json(&root.join("events/env.json"))?;
        say(&introduce_backends(&backends, &backends.environment(&fixed["Parameters"], &options)));
        ready(&json!({ "mail": backends.mail, "dynamodb": backends.dynamodb }))?;
        return std::future::pending().await;
    }
    let (listener, partner) = bind_partner(arguments.partner.as_deref()).await?;
    let system = System::start(&options, binaries::build(&root, arguments.release)).await?;
    system.warm().await?;
    let demo = demo::provision(&system, &format!("{partner}/platform"), options.data.as_deref()).await?;
    let servers = Servers::new();
    servers.serve(listener, partner::router(&system.api, &demo, code_lifetime(&system, &options)?)?);
    say(&introduce(&system, &partner, &demo));
    ready(&json!({
        "api": system.api,
        "mail": system.backends.mail,
        "dynamodb": system.backends.dynamodb,
        "partner": partner,
        "app": demo.app,
        "platform": demo.platform,
    }))?;
    std::future::pending().await
}

/// Whoever runs several systems chooses the addresses of their APIs, mailboxes and databases, and need not know of this.
async fn bind_partner(chosen: Option<&str>) -> Result<(TcpListener, String)> {
    match system::bind(chosen.unwrap_or("127.0.0.1:9003"), "--partner").await {
        Err(_) if chosen.is_none() => system::bind("127.0.0.1:0", "--partner").await,
        bound => bound,
    }
}

/// How long codes are good for, which a partner learns from its operator.
fn code_lifetime(system: &System, options: &Options) -> Result<Duration> {
    let environment = system.backends.environment(&Value::Null, options);
    let seconds = environment.get("PASSCODE_TTL_SECONDS").and_then(|seconds| seconds.parse().ok());
    seconds.map(Duration::from_secs).context("the template does not say how long passcodes are valid")
}

fn read_json(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}

fn say(text: &str) {
    // Nobody may be reading standard output; that is no reason to end.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// What a newcomer needs: where everything is, and a first walk through the API, line by line to be pasted.
fn introduce(system: &System, partner: &str, Demo { app, platform }: &Demo) -> String {
    let (api, mail, dynamodb) = (&system.api, &system.backends.mail, &system.backends.dynamodb);
    let credentials = format!("-H 'x-access-superkey: {}' -H 'x-access-supertoken: {}'", app.superkey, app.supertoken);
    let platform_credentials = format!(
        "-H 'x-access-platformkey: {}' -H 'x-access-platformtoken: {}'",
        platform.platformkey, platform.platformtoken
    );
    format!(
        "
Demo site  {partner} (begin here: sign up, and read the code in the mailbox)
API        {api}
Reference  {api}/docs/
Mailbox    {mail}
DynamoDB   {dynamodb}

Demo App       superkey     {}
               supertoken   {}
Demo platform  platformkey    {}
               platformtoken  {}

Create a customer:
  curl -i {api}/customer {credentials} -d '{{\"company\": \"Analytical Engines\", \"email\": \"ada@example.com\"}}' -H 'content-type: application/json'
Mail a passcode, and read it at {mail} :
  curl -i {api}/customer/ada@example.com/passcode {credentials}
Exchange the passcode for the customer's credentials (write yours for 12345678):
  curl -i '{api}/customer/ada@example.com/auth?passcode=12345678' {credentials}
Send the customer to the platform, which redeems the ticket in the Location (write it for TICKET):
  curl -i {api}/customer/ada@example.com/sso {credentials}
  curl -i {api}/sso/redeem {platform_credentials} -d '{{\"ticket\": \"TICKET\"}}' -H 'content-type: application/json'

Ctrl-C ends it.",
        app.superkey, app.supertoken, platform.platformkey, platform.platformtoken
    )
}

/// Where the backends are, and the variables by which functions that run elsewhere find them and their settings.
fn introduce_backends(backends: &Backends, environment: &BTreeMap<String, String>) -> String {
    let (mail, dynamodb) = (&backends.mail, &backends.dynamodb);
    let exports = environment.iter().map(|(name, value)| format!("  export {name}='{value}'\n"));
    let exports: String = exports.collect();
    format!(
        "
Mailbox   {mail}
DynamoDB  {dynamodb}

For `cargo lambda watch`, in its shell:
{exports}
For `sam local`, after `sam build` (docs/deploy.md says how):
  sam local start-api --env-vars events/env.json --add-host host.docker.internal:host-gateway
The file names the ports 9001 and 9002. On Linux, containers reach this machine by the address of Docker's bridge alone:
  --backends-only --mail 172.17.0.1:9001 --dynamodb 172.17.0.1:9002

Ctrl-C ends it."
    )
}

#[cfg(test)]
mod tests {
    use super::{Arguments, pair};
    use clap::Parser;

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
}
