//! The command line: options, what is printed, and the way from start to signal.

mod arguments;
mod banner;
mod ports;

use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

use anyhow::{Context, Result};
pub use arguments::Arguments;
use partner_site::Times;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    addresses, binaries, demo, files, partner,
    servers::Servers,
    system::{Backends, Options, System},
    terminal::Terminal,
};

/// Does what the arguments say, until the future is dropped.
///
/// # Errors
/// Whatever keeps the system from running, in words for a person.
pub async fn run(arguments: Arguments) -> Result<()> {
    let terminal = Terminal::standard_error(arguments.log);
    let addresses = ports::Addresses::of(&arguments);
    let ran = run_telling(arguments, &terminal).await;
    // What was held back may say why.
    terminal.release();
    match ran {
        Ok(()) => Ok(()),
        Err(error) => Err(addresses.advise(error).await),
    }
}

async fn run_telling(arguments: Arguments, terminal: &Terminal) -> Result<()> {
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
        terminal: terminal.clone(),
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
        say(&banner::introduce_backends(&backends, &backends.environment(&fixed["Parameters"], &options)));
        ready(&json!({ "mail": backends.mail, "dynamodb": backends.dynamodb }))?;
        return std::future::pending().await;
    }
    let (listener, partner) = bind_partner(arguments.partner.as_deref()).await?;
    let system = System::start(&options, build(&root, arguments.release)).await?;
    system.warm().await?;
    let demo = demo::provision(&system, &format!("{partner}/platform"), options.data.as_deref()).await?;
    let servers = Servers::new();
    servers.serve(listener, partner::router(&system.api, &demo, times(&system, &options)?)?);
    let handout = json!({
        "api": system.api,
        "mail": system.backends.mail,
        "dynamodb": system.backends.dynamodb,
        "partner": partner,
        "app": demo.app,
        "platform": demo.platform,
    });
    system.handout.set(handout.clone());
    say(&banner::introduce(&system, &partner, &demo));
    terminal.release();
    ready(&handout)?;
    std::future::pending().await
}

/// Builds the functions. Cargo shows its progress where a person looks; where it takes long, that it goes on is said first.
async fn build(root: &Path, release: bool) -> Result<BTreeMap<String, std::path::PathBuf>> {
    let slow = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Nobody may be reading standard error.
        let _ = writeln!(std::io::stderr().lock(), "Building the functions: minutes the first time, seconds later ...");
        std::future::pending().await
    };
    tokio::select! {
        built = binaries::build(root, release) => built,
        never = slow => never,
    }
}

/// Whoever runs several systems chooses the addresses of their APIs, mailboxes and databases, and need not know of this.
async fn bind_partner(chosen: Option<&str>) -> Result<(TcpListener, String)> {
    match addresses::bind(chosen.unwrap_or("127.0.0.1:9003"), "--partner").await {
        Err(_) if chosen.is_none() => addresses::bind("127.0.0.1:0", "--partner").await,
        bound => bound,
    }
}

/// What a partner learns from its operator: how long codes are good for, and how long no other mail follows one.
fn times(system: &System, options: &Options) -> Result<Times> {
    let environment = system.backends.environment(&Value::Null, options);
    let seconds = |name: &str| {
        let seconds = environment.get(name).and_then(|seconds| seconds.parse().ok());
        seconds.map(Duration::from_secs).with_context(|| format!("the template does not set {name}"))
    };
    Ok(Times { code_lifetime: seconds("PASSCODE_TTL_SECONDS")?, cooldown: seconds("PASSCODE_COOLDOWN_SECONDS")? })
}

fn read_json(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}

fn say(text: &str) {
    // Nobody may be reading standard output; that is no reason to end.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
