//! Every event of `events/`, sent to whatever runs the functions, and its answers compared with the expected ones.

use std::{collections::BTreeMap, io::Write, process::ExitCode};

use anyhow::{Context, Result};
use local::{
    binaries,
    events::{self, Case},
    system::{Backends, Options},
};
use reqwest::Client;
use serde_json::Value;

/// The events and the backends that they speak of.
pub struct Trial {
    backends: Backends,
    fixtures: Value,
    cases: BTreeMap<String, Vec<Case>>,
    client: Client,
    differences: Vec<String>,
}

impl Trial {
    /// Starts the backends.
    ///
    /// # Errors
    /// An address in use; files of `events/` that cannot be read.
    pub async fn open(options: &Options) -> Result<Self> {
        let events = binaries::project_root()?.join("events");
        let mut cases: BTreeMap<String, Vec<Case>> = BTreeMap::new();
        for case in events::read_all(&events)? {
            cases.entry(case.function.clone()).or_default().push(case);
        }
        Ok(Self {
            backends: Backends::start(options).await?,
            fixtures: read("fixtures.json")?,
            cases,
            client: Client::builder().no_proxy().build()?,
            differences: Vec::new(),
        })
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
    /// `events/env.json` cannot be read.
    pub fn environment(&self, options: &Options) -> Result<BTreeMap<String, String>> {
        Ok(self.backends.environment(&read("env.json")?["Parameters"], options))
    }

    /// Sends a function's events to `url`, which takes them as the Lambda Invoke API does, each on the records as they
    /// were at first.
    ///
    /// # Errors
    /// Whoever is there does not answer in JSON.
    pub async fn send(&mut self, function: &str, url: &str) -> Result<()> {
        for case in &self.cases[function] {
            self.backends.tables.replace(&self.fixtures)?;
            let sent = self.client.post(url).json(&case.event).send().await;
            let answer = sent.with_context(|| format!("{url} does not answer"))?.text().await?;
            let answer =
                serde_json::from_str(&answer).with_context(|| format!("{function}, {}: {answer}", case.name))?;
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

/// `send-passcode` is built as `SendPasscodeFunction`.
#[must_use]
pub fn logical_id(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Function"
}

fn read(name: &str) -> Result<Value> {
    let file = binaries::project_root()?.join("events").join(name);
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_is_built_under_its_logical_id() {
        assert_eq!(super::logical_id("send-passcode"), "SendPasscodeFunction");
    }
}
