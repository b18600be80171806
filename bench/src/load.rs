//! The whole local system under a load that rises until it saturates.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use local::{
    binaries::project_root,
    demo,
    system::{Options, System},
};
use reqwest::{
    Client, Response,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{contestants::Contestant, measure::quantile};

/// Callers at once, each of which sends its next request when the last one is answered.
const CALLERS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// How long each number of callers is kept up.
const STEP: Duration = Duration::from_secs(4);
/// Processes of the function at most.
const PROCESSES: usize = 8;

/// What one number of callers came to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Callers at once.
    pub callers: usize,
    /// Requests answered in a second.
    pub rate: f64,
    /// Seconds that half, and 99%, of the requests did not exceed.
    pub latency: [f64; 2],
}

/// Calls `GET /customer/{cuid}` through the gateway of a system that runs these executables.
///
/// # Errors
/// A system that does not start, and any answer but a `200`.
pub async fn rise(functions: &[Contestant]) -> Result<Vec<Step>> {
    let template = std::fs::read_to_string(project_root()?.join("template.yaml"))?;
    let executables = functions.iter().filter_map(|it| Some((it.name.clone(), it.command.first()?.into()))).collect();
    let options = Options { concurrency: PROCESSES, ..Options::new(template) };
    let system = System::start(&options, async { Ok(executables) }).await?;
    system.warm().await?;
    let demo = demo::provision(&system, "https://platform.example/", None).await?;
    let credentials = [("x-access-superkey", &demo.app.superkey), ("x-access-supertoken", &demo.app.supertoken)];
    let mut headers = HeaderMap::new();
    for (name, value) in credentials {
        headers.insert(name, HeaderValue::from_str(value)?);
    }
    let client = Client::builder().no_proxy().default_headers(headers).build()?;
    let customer = json!({ "company": "Load", "email": "l@example.com" });
    let created: Value = client.post(format!("{}/customer", system.api)).json(&customer).send().await?.json().await?;
    let cuid = created["cuid"].as_str().context("no customer could be created")?;
    let target = Arc::new(Target { client, url: format!("{}/customer/{cuid}", system.api) });
    let mut steps = Vec::new();
    // The first is for the processes to be started.
    for callers in [PROCESSES].into_iter().chain(CALLERS) {
        steps.push(step(&target, callers).await?);
    }
    Ok(steps.split_off(1))
}

/// A request that is answered with a `200`.
pub struct Target {
    /// With the credentials.
    pub client: Client,
    /// The whole address.
    pub url: String,
}

impl Target {
    /// Sends it.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self) -> reqwest::Result<Response> {
        self.client.get(&self.url).send().await
    }
}

/// Calls the target by so many callers for some seconds.
///
/// # Errors
/// Any answer but a `200`.
pub async fn step(target: &Arc<Target>, callers: usize) -> Result<Step> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let target = target.clone();
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while started.elapsed() < STEP {
                let sent = Instant::now();
                let answer = target.send().await?;
                ensure!(answer.status() == 200, "a request was answered {}", answer.status());
                answer.bytes().await?;
                latencies.push(sent.elapsed().as_secs_f64());
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(of_one) = tasks.join_next().await {
        latencies.extend(of_one??);
    }
    let rate = latencies.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Step { callers, rate, latency: [0.5, 0.99].map(|part| quantile(&mut latencies, part)) })
}
