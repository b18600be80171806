//! `tools emulator RIE BUILD`: sends every event of `events/` to the bootstraps that `sam build` has left in BUILD, each under
//! Lambda's own Runtime Interface Emulator (the executable RIE, which comes with the SAM CLI), and compares the answers
//! with the expected ones. It is what `sam local invoke` would show, without a container.

use std::{
    collections::BTreeMap,
    io::Write,
    net::TcpListener,
    path::Path,
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local::{
    binaries,
    events::{self, Case},
    system::{Backends, Options},
};
use reqwest::Client;
use serde_json::Value;
use tokio::process::{Child, Command};

/// How long the emulator may take to listen.
const START: Duration = Duration::from_secs(10);

/// Sends the events, and prints how many answers differ, and how.
///
/// # Errors
/// An emulator that does not start or answer.
pub async fn run(rie: &Path, build: &Path) -> Result<ExitCode> {
    let events = binaries::project_root()?.join("events");
    let read = |name: &str| -> Result<Value> { Ok(serde_json::from_slice(&std::fs::read(events.join(name))?)?) };
    let (fixtures, fixed) = (read("fixtures.json")?, read("env.json")?["Parameters"].clone());
    let options = Options::new(std::fs::read_to_string(binaries::project_root()?.join("template.yaml"))?);
    let backends = Backends::start(&options).await?;
    let mut by_function: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in events::read_all(&events)? {
        by_function.entry(case.function.clone()).or_default().push(case);
    }
    let (mut sent, mut differences) = (0, Vec::new());
    for (function, cases) in &by_function {
        let mut environment = backends.environment(&fixed, &options);
        // The number tells calls of one process from another's; there is one.
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), format!("{function}.0"));
        let emulator = Emulator::start(rie, &build.join(logical_id(function)).join("bootstrap"), environment).await?;
        for case in cases {
            backends.tables.replace(&fixtures)?;
            let answer = emulator.invoke(&case.event).await?;
            differences.extend(case.check(&answer).err().map(|difference| difference.to_string()));
            sent += 1;
        }
    }
    let mut out = std::io::stdout().lock();
    for difference in &differences {
        writeln!(out, "{difference}\n")?;
    }
    writeln!(out, "{sent} events sent to {} functions, {} answers differ", by_function.len(), differences.len())?;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `send-passcode` is built as `SendPasscodeFunction`.
fn logical_id(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Function"
}

/// One bootstrap under the emulator. Both end with it.
struct Emulator {
    url: String,
    client: Client,
    _process: Child,
}

impl Emulator {
    async fn start(rie: &Path, bootstrap: &Path, environment: BTreeMap<String, String>) -> Result<Self> {
        ensure!(bootstrap.is_file(), "{} is missing: run `sam build` first", bootstrap.display());
        let [emulator, runtime_api] = [free_address()?, free_address()?];
        let process = Command::new(rie)
            .args(["--runtime-interface-emulator-address", &emulator, "--runtime-api-address", &runtime_api])
            .args(["--log-level", "error"])
            .arg(bootstrap)
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "30")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", rie.display()))?;
        let wait = async {
            while tokio::net::TcpStream::connect(&emulator).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(START, wait).await.context("the emulator does not listen")?;
        let url = format!("http://{emulator}/2015-03-31/functions/function/invocations");
        Ok(Self { url, client: Client::builder().no_proxy().build()?, _process: process })
    }

    async fn invoke(&self, event: &Value) -> Result<Value> {
        Ok(self.client.post(&self.url).json(event).send().await?.json().await?)
    }
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_is_built_under_its_logical_id() {
        assert_eq!(super::logical_id("send-passcode"), "SendPasscodeFunction");
    }
}
