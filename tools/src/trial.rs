//! Every event of `events/`, sent to whatever runs the functions, and its answers compared with the expected ones.

use std::{collections::BTreeMap, io::Write, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use local::{
    binaries,
    deployed::{Deployed, logical_id},
    dynamodb::Tables,
    events::{self, Case},
    system::{Backends, Options},
    template::{Secrets, Template},
};
use reqwest::Client;
use serde_json::Value;

/// The events and the tables that they speak of.
pub struct Trial {
    /// Where the functions of somebody else find what they need.
    backends: Option<Backends>,
    tables: Tables,
    fixtures: Value,
    cases: BTreeMap<String, Vec<Case>>,
    differences: Vec<String>,
}

impl Trial {
    /// Starts the backends.
    ///
    /// # Errors
    /// An address in use; files of `events/` that cannot be read.
    pub async fn open(options: &Options) -> Result<Self> {
        let backends = Backends::start(options).await?;
        let tables = backends.tables.clone();
        Self::on(Some(backends), tables)
    }

    fn on(backends: Option<Backends>, tables: Tables) -> Result<Self> {
        let events = binaries::project_root()?.join("events");
        let mut cases: BTreeMap<String, Vec<Case>> = BTreeMap::new();
        for case in events::read_all(&events)? {
            cases.entry(case.function.clone()).or_default().push(case);
        }
        Ok(Self { backends, tables, fixtures: read("fixtures.json")?, cases, differences: Vec::new() })
    }

    /// The functions that have events.
    #[must_use]
    pub fn functions(&self) -> Vec<String> {
        self.cases.keys().cloned().collect()
    }

    /// What a function finds in its environment: with the fixed peppers, under which the passcodes among the records
    /// were made.
    ///
    /// # Errors
    /// `events/env.json` cannot be read; what is deployed has an environment.
    pub fn environment(&self, options: &Options) -> Result<BTreeMap<String, String>> {
        let backends = self.backends.as_ref().context("there are no backends here")?;
        Ok(backends.environment(&read("env.json")?["Parameters"], options))
    }

    /// Sends a function's events to `url`, which takes them as the Lambda Invoke API does, each on the records as they
    /// were at first.
    ///
    /// # Errors
    /// Whoever is there does not answer in JSON.
    pub async fn send(&mut self, function: &str, url: &str) -> Result<()> {
        let client = Client::builder().no_proxy().build()?;
        self.send_by(function, async |event| {
            let sent = client.post(url).json(event).send().await;
            let answer = sent.with_context(|| format!("{url} does not answer"))?.text().await?;
            serde_json::from_str(&answer).with_context(|| answer)
        })
        .await
    }

    async fn send_by(&mut self, function: &str, ask: impl AsyncFn(&Value) -> Result<Value>) -> Result<()> {
        for case in &self.cases[function] {
            self.tables.replace(&self.fixtures)?;
            let answer = ask(&case.event).await.with_context(|| format!("{function}, {}", case.name))?;
            self.differences.extend(case.check(&answer).err().map(|difference| difference.to_string()));
        }
        Ok(())
    }

    /// Prints how many answers differ, and how.
    ///
    /// # Errors
    /// Nobody reads what is printed.
    pub fn report(&self) -> Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        for difference in &self.differences {
            writeln!(out, "{difference}\n")?;
        }
        let sent: usize = self.cases.values().map(Vec::len).sum();
        writeln!(
            out,
            "{sent} events sent to {} functions, {} answers differ",
            self.cases.len(),
            self.differences.len()
        )?;
        Ok(if self.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The template as it stands, on free ports.
///
/// # Errors
/// `template.yaml` cannot be read.
pub fn options() -> Result<Options> {
    Ok(Options::new(std::fs::read_to_string(binaries::project_root()?.join("template.yaml"))?))
}

/// Sends every event to functions that somebody else runs, against backends on `mail` and `dynamodb`. In `url`, `NAME`
/// stands for a function's name, and `LOGICAL_ID` for its name in the template.
///
/// # Errors
/// As [`Trial::open`] and [`Trial::send`].
pub async fn run(url: &str, mail: String, dynamodb: String) -> Result<ExitCode> {
    let mut trial = Trial::open(&Options { mail, dynamodb, ..options()? }).await?;
    for function in trial.functions() {
        let url = url.replace("LOGICAL_ID", &logical_id(&function)).replace("NAME", &function);
        trial.send(&function, &url).await?;
    }
    trial.report()
}

/// Sends every event to the functions of a deployment, which `file` tells where it is. The events named `otherwise` are answered
/// otherwise there.
///
/// # Errors
/// As [`Trial::open`] and [`Trial::send`]; a file that cannot be read; one of `otherwise` that is answered as everywhere.
pub async fn run_deployed(file: &Path, otherwise: &[String]) -> Result<ExitCode> {
    let deployed = Deployed::read(file)?;
    let template = Template::load(&options()?.template, &BTreeMap::new(), &mut Secrets::default())?;
    let mut trial = Trial::on(None, Tables::deployed(&template.tables, &deployed)?)?;
    for function in trial.functions() {
        let ask = async |event: &Value| Ok(deployed.invoke(&function, event).await.unwrap_or_else(|error| error));
        trial.send_by(&function, ask).await?;
    }
    for name in otherwise {
        let file = format!("events/{name}.json");
        let found = trial.differences.iter().position(|difference| difference.starts_with(&file));
        trial.differences.remove(found.with_context(|| format!("{file} is answered as everywhere"))?);
    }
    writeln!(std::io::stdout().lock(), "{} events are answered otherwise, as it was said", otherwise.len())?;
    trial.report()
}

fn read(name: &str) -> Result<Value> {
    let file = binaries::project_root()?.join("events").join(name);
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}
