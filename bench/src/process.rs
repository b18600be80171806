//! One process under a Lambda Runtime API, with what it has used up so far.

use std::{
    collections::BTreeMap,
    process::Stdio,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use axum::{body::Bytes, http::StatusCode};
use local::runtime::api::{self, Delivery, End, Event};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// How long any one step may take; under callgrind everything takes fifty times as long.
const LIMIT: Duration = Duration::from_mins(3);

/// How long a process may go on after it has asked for work.
const SETTLE: Duration = Duration::from_secs(5);

/// A running function.
pub struct Process {
    child: Child,
    pid: Pid,
    events: mpsc::UnboundedReceiver<Event>,
    asking: oneshot::Sender<Delivery>,
    server: JoinHandle<()>,
    answered: usize,
}

impl Process {
    /// Starts `command` with this environment and no other, and waits until it asks for work.
    ///
    /// # Errors
    /// A process that does not start.
    pub async fn start(command: &[String], environment: &BTreeMap<String, String>) -> Result<Self> {
        let (program, arguments) = command.split_first().context("there is nothing to start")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, mut events) = mpsc::unbounded_channel();
        let server = tokio::spawn(async move {
            // An accept loop of axum's does not end with an error.
            let _ = axum::serve(listener, api::router(sender)).await;
        });
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).context("the process has ended at once")?;
        let pid = Pid::from_raw(id).context("the process has no number")?;
        let asking = next(&mut events, &mut child).await.with_context(|| format!("{program} does not start"))?;
        Ok(Self { child, pid, events, asking, server, answered: 0 })
    }

    /// The CPU time of all its threads, from its start until all of them wait for something, which is soon after it has
    /// asked for work. Only then has the kernel added everything up.
    ///
    /// # Errors
    /// The process has ended, or goes on and on.
    pub async fn cpu(&self) -> Result<Duration> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let (time, running) = self.threads()?;
            if !running {
                return Ok(time);
            }
            ensure!(Instant::now() < deadline, "the process works on without work");
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }

    /// The CPU time of all threads, and whether any of them runs.
    fn threads(&self) -> Result<(Duration, bool)> {
        let (mut nanoseconds, mut running) = (0, false);
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.id()))? {
            let thread = thread?.path();
            let read = |file| std::fs::read_to_string(thread.join(file));
            // A thread may have ended since it was listed.
            let (Ok(stat), Ok(schedstat)) = (read("stat"), read("schedstat")) else { continue };
            // The state follows the name, which stands in brackets and may hold any character.
            running |= stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('R'));
            let on_cpu = schedstat.split_whitespace().next().context("schedstat is empty")?;
            nanoseconds += on_cpu.parse::<u64>()?;
        }
        Ok((Duration::from_nanos(nanoseconds), running))
    }

    /// The process's number.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// The most memory that was resident so far, in bytes.
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_rss(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// How often so far it has touched a page of memory that the kernel then had to bring: of the executable, of what the
    /// dynamic linker writes, of heap and stack.
    ///
    /// # Errors
    /// The process has ended.
    pub fn page_faults(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // The name stands in brackets and may hold any character; `minflt` is the eighth field behind it, `majflt` the tenth.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |at: usize| fields.get(at).context("stat is too short")?.parse::<u64>().context("no number");
        Ok(field(7)? + field(9)?)
    }

    /// Sends an event and waits for the answer, and until the process asks for more. Returns the answer, and the time
    /// until it came.
    ///
    /// # Errors
    /// A function error, and a process that ends.
    pub async fn invoke(&mut self, event: &Value) -> Result<(Value, Duration)> {
        self.answered += 1;
        let delivery = Delivery {
            request_id: format!("00000000-0000-4000-8000-{:012}", self.answered),
            function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:bench".to_owned(),
            deadline: SystemTime::now() + LIMIT,
            payload: Bytes::from(event.to_string()),
        };
        let (sender, _) = oneshot::channel();
        let asking = std::mem::replace(&mut self.asking, sender);
        let started = Instant::now();
        ensure!(asking.send(delivery).is_ok(), "the process has lost its connection");
        let answer = match event_of(&mut self.events, &mut self.child).await? {
            Event::Done { end: End::Reply(body), accepted, .. } => {
                let _ = accepted.send(StatusCode::ACCEPTED);
                serde_json::from_slice(&body)?
            }
            Event::Done { end: End::Error(body), .. } | Event::InitError(body) => {
                bail!("it failed: {}", String::from_utf8_lossy(&body))
            }
            Event::Next(_) => bail!("it asked for work before it had replied"),
        };
        let took = started.elapsed();
        self.asking = next(&mut self.events, &mut self.child).await?;
        Ok((answer, took))
    }

    /// Ends it so that a tool it runs under can write down what it found.
    ///
    /// # Errors
    /// A process that does not end.
    pub async fn end(mut self) -> Result<()> {
        kill_process(self.pid, Signal::TERM).map_err(|error| anyhow!("it cannot be ended: {error}"))?;
        tokio::time::timeout(LIMIT, self.child.wait()).await.context("it does not end")??;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn event_of(events: &mut mpsc::UnboundedReceiver<Event>, child: &mut Child) -> Result<Event> {
    tokio::select! {
        biased;
        event = events.recv() => event.context("the Runtime API has ended"),
        status = child.wait() => bail!("it ended with {}", status?),
        () = tokio::time::sleep(LIMIT) => bail!("it took more than {} s", LIMIT.as_secs()),
    }
}

async fn next(events: &mut mpsc::UnboundedReceiver<Event>, child: &mut Child) -> Result<oneshot::Sender<Delivery>> {
    match event_of(events, child).await? {
        Event::Next(asking) => Ok(asking),
        Event::InitError(body) => bail!("{}", String::from_utf8_lossy(&body)),
        Event::Done { .. } => bail!("it answered what nobody asked"),
    }
}
