//! `tools emulator RIE BUILD`: sends every event of `events/` to the bootstraps that `sam build` has left in BUILD, each under
//! Lambda's own Runtime Interface Emulator (the executable RIE, which comes with the SAM CLI), and compares the answers
//! with the expected ones. It is what `sam local invoke` would show, without a container.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local::deployed::logical_id;
use tokio::process::{Child, Command};

use crate::trial::{Trial, options};

/// How long the emulator may take to listen.
const START: Duration = Duration::from_secs(10);

/// Sends the events, and prints how many answers differ, and how.
///
/// # Errors
/// An emulator that does not start or answer.
pub async fn run(rie: &Path, build: &Path) -> Result<ExitCode> {
    let options = options()?;
    let mut trial = Trial::open(&options).await?;
    for function in trial.functions() {
        let mut environment = trial.environment(&options)?;
        // The number tells calls of one process from another's; there is one.
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), format!("{function}.0"));
        let emulator = Emulator::start(rie, &build.join(logical_id(&function)).join("bootstrap"), environment).await?;
        trial.send(&function, &emulator.url).await?;
    }
    trial.report()
}

/// One bootstrap under the emulator. Both end with it.
struct Emulator {
    url: String,
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
        Ok(Self { url, _process: process })
    }
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
