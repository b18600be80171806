//! The functions: real binaries, each under a Lambda Runtime API of its own.
//!
//! A [`Pool`] is one function; it queues invocations and keeps up to `concurrency` processes, each of which lives in
//! `process` and speaks through [`api`].

pub mod api;
mod pool;
mod process;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use axum::body::Bytes;
pub use pool::Pool;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The largest reply of a function in bytes, as Lambda counts it: on the escaped envelope.
pub const REPLY_LIMIT: usize = 6_291_556;

/// What it takes to run one function.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The function's name.
    pub name: String,
    /// Its executable.
    pub binary: PathBuf,
    /// Its whole environment but for what tells one process from another.
    pub environment: BTreeMap<String, String>,
    /// The other names by which it may be called.
    pub aliases: Vec<String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Processes at most.
    pub concurrency: usize,
    /// Whether a process is stopped between invocations, as Lambda does.
    pub freeze: bool,
}

/// One call of a function.
struct Invocation {
    /// Lambda's id of the invocation.
    request_id: String,
    /// The id under which what the function calls is recorded.
    recorded_as: String,
    /// The name by which it is called, as Lambda tells the function.
    function_arn: String,
    payload: Bytes,
    /// Told when a process has taken the invocation: the time in the queue counts towards nothing.
    started: oneshot::Sender<()>,
    outcome: oneshot::Sender<Outcome>,
}

/// What an invocation came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The function's reply.
    Reply(Bytes),
    /// It failed: the JSON that Lambda would answer, with `errorType` and `errorMessage`.
    Failed(Bytes),
}

impl Outcome {
    fn failed(error_type: &str, message: &str) -> Self {
        Self::Failed(json!({ "errorType": error_type, "errorMessage": message }).to_string().into())
    }

    /// The reply or the failure, as it came.
    ///
    /// # Errors
    /// The failure.
    pub fn bytes(&self) -> Result<&[u8], &[u8]> {
        match self {
            Self::Reply(body) => Ok(body),
            Self::Failed(body) => Err(body),
        }
    }

    /// Why `function` has not replied, in plain words.
    #[must_use]
    pub fn in_plain_words(&self, function: &str) -> Option<String> {
        let Self::Failed(error) = self else { return None };
        let error: Value = serde_json::from_slice(error).unwrap_or_default();
        let message = error["errorMessage"].as_str().unwrap_or("it gave no reason");
        // Lambda begins with the request's id, which the record has anyway.
        let message = message.split_once(" Error: ").map_or(message, |(_, rest)| rest);
        // The runtime's own types have a dot; others are the function's.
        let own = error["errorType"].as_str().is_some_and(|kind| !kind.contains('.'));
        let words = match message.strip_prefix("Runtime exited with error: ") {
            Some(how) => format!("{function} ended in the middle of the request ({how})"),
            None if own => format!("{function} answered with an error: {message}"),
            None => format!("{function} failed: {message}"),
        };
        Some(words)
    }

    /// The reply, or the failure, as JSON.
    ///
    /// # Errors
    /// The failure; a reply that is not JSON counts as one.
    pub fn json(&self) -> Result<Value, Value> {
        match self {
            Self::Reply(body) => serde_json::from_slice(body)
                .map_err(|_| json!({ "errorType": "Runtime.InvalidReply", "errorMessage": "the reply is not JSON" })),
            Self::Failed(body) => Err(serde_json::from_slice(body).unwrap_or_default()),
        }
    }
}

/// A call under way.
pub struct Running {
    started: oneshot::Receiver<()>,
    outcome: oneshot::Receiver<Outcome>,
}

impl Running {
    /// Waits for the end. `limit` counts from when a process takes the call.
    ///
    /// Returns `None` if the limit passed first; the function runs on, as it does in AWS.
    pub async fn outcome_within(self, limit: Duration) -> Option<Outcome> {
        let stopped = || Outcome::failed("Runtime.Stopped", "the local system is stopping");
        // An error here means that the call ended before it started; the outcome says how.
        let _ = self.started.await;
        let ended = tokio::time::timeout(limit, self.outcome).await.ok()?;
        Some(ended.unwrap_or_else(|_| stopped()))
    }

    /// Waits for the end, however long it takes: the function's own timeout bounds it.
    pub async fn outcome(self) -> Outcome {
        let ended = self.outcome.await;
        ended.unwrap_or_else(|_| Outcome::failed("Runtime.Stopped", "the local system is stopping"))
    }
}
