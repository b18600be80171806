//! What a developer would run instead: engines that serve the same functions over the same backends, one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::load::{self, Target};

/// Callers at once, twice the processors of a small machine.
const CALLERS: usize = 4;
/// How long an engine may take until it answers.
const PATIENCE: Duration = Duration::from_mins(3);

/// An engine, and where it will answer.
#[derive(Debug, Args)]
pub struct Engine {
    /// What to call it.
    name: String,
    /// Where it will answer.
    url: String,
    /// Count the processes of Docker's containers with it.
    #[arg(long)]
    containers: bool,
    /// How it is started.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// What was measured of an engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Its name.
    pub name: String,
    /// Seconds from its start to the first answer.
    pub first: f64,
    /// Requests answered in a second.
    pub rate: f64,
    /// Seconds that half, and 99%, of the requests did not exceed.
    pub latency: [f64; 2],
    /// Memory of all its processes under load, in bytes: what several share counts once.
    pub memory: u64,
}

/// Starts the engine, calls get-customer by the event that all measurements use, ends it, and keeps the figures in
/// `folder` beside those of the engines before. Returns all of them, the quickest first.
///
/// # Errors
/// An engine that does not answer, and any answer but a `200`.
pub async fn measure(root: &Path, folder: &Path, engine: &Engine) -> Result<Vec<Figures>> {
    let folder = folder.join("beside");
    std::fs::create_dir_all(&folder)?;
    let target = target(root, &engine.url)?;
    let started = Instant::now();
    let mut running = Running::start(&engine.command, &folder.join(format!("{}.log", engine.name)))?;
    while !matches!(target.send().await, Ok(answer) if answer.status() == 200) {
        ensure!(started.elapsed() < PATIENCE, "{} does not answer", engine.name);
        ensure!(running.child.try_wait()?.is_none(), "{} has ended; its log is in {}", engine.name, folder.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = started.elapsed().as_secs_f64();
    let target = std::sync::Arc::new(target);
    // The first is for processes or containers to be started.
    load::step(&target, CALLERS).await?;
    let step = load::step(&target, CALLERS).await?;
    let memory = running.memory(engine.containers).await?;
    running.end().await?;
    let figures = Figures { name: engine.name.clone(), first, rate: step.rate, latency: step.latency, memory };
    std::fs::write(folder.join(format!("{}.json", engine.name)), serde_json::to_vec(&figures)?)?;
    all(&folder)
}

/// The request of get-customer's event.
fn target(root: &Path, url: &str) -> Result<Target> {
    let event: Value = serde_json::from_slice(&std::fs::read(root.join("events/get-customer/by-its-app.json"))?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in event["headers"].as_object().into_iter().flatten() {
        if name.starts_with("x-access-") {
            let value = HeaderValue::from_str(value.as_str().unwrap_or_default())?;
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, value);
        }
    }
    let path = event["rawPath"].as_str().context("the event has no path")?;
    let client = Client::builder().no_proxy().default_headers(headers).build()?;
    Ok(Target { client, url: format!("{url}{path}") })
}

/// What is kept of all engines so far, the quickest first.
fn all(folder: &Path) -> Result<Vec<Figures>> {
    let files = std::fs::read_dir(folder)?.filter_map(|file| Some(file.ok()?.path()));
    let kept: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|it| it == "json")).collect();
    let read = |file: PathBuf| -> Result<Figures> { Ok(serde_json::from_slice(&std::fs::read(file)?)?) };
    let mut figures = kept.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    figures.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    Ok(figures)
}

/// An engine in a process group of its own.
struct Running {
    child: Child,
    group: Pid,
}

impl Running {
    fn start(command: &[String], log: &Path) -> Result<Self> {
        let (program, arguments) = command.split_first().context("there is nothing to start")?;
        let log = File::create(log)?;
        let child = Command::new(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group: id.context("the process has no number")? })
    }

    /// The memory of it, of what it has started, and of containers.
    async fn memory(&self, containers: bool) -> Result<u64> {
        let mut roots = BTreeSet::from([self.group.as_raw_nonzero().get()]);
        if containers {
            let listed = Command::new("docker").args(["ps", "--quiet"]).output().await?;
            for id in String::from_utf8(listed.stdout)?.lines() {
                let inspected = ["inspect", "--format", "{{.State.Pid}}", id];
                let output = Command::new("docker").args(inspected).output().await?;
                roots.insert(String::from_utf8(output.stdout)?.trim().parse()?);
            }
        }
        // A process may have ended since it was listed.
        Ok(descendants(roots)?.into_iter().filter_map(|id| proportional_set(id).ok()).sum())
    }

    async fn end(mut self) -> Result<()> {
        kill_process_group(self.group, Signal::INT).map_err(|error| anyhow!("it cannot be ended: {error}"))?;
        if tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// These processes and all that stem from them.
fn descendants(mut found: BTreeSet<i32>) -> Result<BTreeSet<i32>> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The parent follows the state, which follows the name in brackets.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        parents.insert(id, parent.unwrap_or(0));
    }
    loop {
        let more: Vec<i32> = parents
            .iter()
            .filter(|(id, parent)| found.contains(parent) && !found.contains(id))
            .map(|(id, _)| *id)
            .collect();
        if more.is_empty() {
            return Ok(found);
        }
        found.extend(more);
    }
}

/// A process's memory in bytes, of which pages that it shares count by its share.
fn proportional_set(id: i32) -> Result<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{descendants, proportional_set};

    #[test]
    fn a_child_counts_with_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let (own, its) = (std::process::id().cast_signed(), child.id().cast_signed());
        let found = descendants(BTreeSet::from([own])).unwrap();
        let memory = proportional_set(its).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&own) && found.contains(&its) && !found.contains(&1), "{found:?}");
        assert!(memory > 0);
    }
}
