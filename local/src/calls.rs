//! The record of what the functions have called: who, what, when, and how it ended.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    assignments::Assignments,
    requests::{Called, Requests, Text},
};

/// Calls kept at most, the oldest going first.
const KEPT: usize = 200_000;

/// One call of a function to a backend.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The function that called; `None` is somebody else, such as a developer's own tool.
    pub function: Option<String>,
    /// The request that the function was working on; `None` outside any, as during its start.
    pub request_id: Option<String>,
    /// The IAM prefix of the service: `dynamodb` or `ses`.
    pub service: &'static str,
    /// The API action, such as `BatchGetItem`.
    pub action: String,
    /// The tables that it names, each once.
    pub tables: Vec<String>,
    /// Since the system's start.
    pub started: Duration,
    /// Since the system's start.
    pub ended: Duration,
    /// The status of the answer; 0 if the connection was cut instead.
    pub status: u16,
}

/// Every call so far.
#[derive(Clone)]
pub struct Calls {
    made: Arc<Mutex<VecDeque<Call>>>,
    assignments: Assignments,
    requests: Requests,
    epoch: Instant,
}

/// Who makes a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The function's name, if a function calls.
    pub function: Option<String>,
    /// The request that it works on.
    pub request_id: Option<String>,
    /// Its process's id.
    pub process: Option<u32>,
}

/// A call that was made, or was not.
pub(crate) struct Made {
    /// What the caller gets.
    pub answer: Response,
    /// What was made to go wrong, in plain words.
    pub fault: Option<String>,
    /// Whether the caller gets nothing at all.
    pub cut: bool,
}

impl Calls {
    /// An empty record; `assignments` say which request a process works on, and `requests` keep the call's details.
    #[must_use]
    pub fn new(assignments: Assignments, requests: Requests) -> Self {
        Self { made: Arc::default(), assignments, requests, epoch: Instant::now() }
    }

    /// Who has signed a request, by its `Authorization` header. The signature itself proves nothing here: every
    /// process of this machine could make it.
    #[must_use]
    pub fn caller(&self, authorization: Option<&str>) -> Caller {
        let key = authorization
            .and_then(|header| header.split_once("Credential="))
            .and_then(|(_, scope)| scope.split_once('/'))
            .map(|(key, _)| key);
        // A process's access key id is `<function>.<number>`.
        let function = key.and_then(|key| key.rsplit_once('.')).map(|(function, _)| function.to_owned());
        Caller {
            request_id: key.and_then(|key| self.assignments.of(key)),
            process: key.and_then(|key| self.assignments.process(key)),
            function,
        }
    }

    /// How long the system has been running.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Takes a call in, with what was asked, what came of it and the statements that allowed it; returns the answer.
    pub(crate) async fn note(&self, call: Call, request: &[u8], made: Made, allowed_by: Vec<Value>) -> Response {
        let Made { answer, fault, cut } = made;
        // The body of an answer that is cut must not be read: it breaks the connection.
        let (answer, text) = if cut { (answer, Text::default()) } else { read(answer).await };
        if let Some(id) = &call.request_id {
            let called = Called {
                service: call.service,
                action: call.action.clone(),
                request: Text::of(request),
                answer: text,
                status: call.status,
                fault,
                allowed_by,
                started_ms: 0.0,
                ended_ms: 0.0,
            };
            self.requests.called(id, self.epoch + call.started, called);
        }
        self.add(call);
        answer
    }

    fn add(&self, call: Call) {
        let mut calls = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// All calls still kept, in the order of their ends.
    #[must_use]
    pub fn all(&self) -> Vec<Call> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The calls made for one request.
    #[must_use]
    pub fn of_request(&self, request_id: &str) -> Vec<Call> {
        let of_request = |call: &&Call| call.request_id.as_deref() == Some(request_id);
        self.made.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(of_request).cloned().collect()
    }
}

async fn read(answer: Response) -> (Response, Text) {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = Text::of(&body);
    (Response::from_parts(parts, Body::from(body)), text)
}

/// Sequential round trips among `calls`: calls under way at the same time count as one.
///
/// It is the length of the longest chain in which each call begins after the one before it has ended.
#[must_use]
pub fn round_trips<'a>(calls: impl IntoIterator<Item = &'a Call>) -> usize {
    let mut calls: Vec<&Call> = calls.into_iter().collect();
    calls.sort_by_key(|call| call.ended);
    let mut last_end = None;
    let mut trips = 0;
    for call in calls {
        if last_end.is_none_or(|end| call.started >= end) {
            last_end = Some(call.ended);
            trips += 1;
        }
    }
    trips
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Call, Calls, round_trips};
    use crate::{assignments::Assignments, requests::Requests};

    fn call(started: u64, ended: u64) -> Call {
        Call {
            function: None,
            request_id: None,
            service: "dynamodb",
            action: "GetItem".to_owned(),
            tables: Vec::new(),
            started: Duration::from_millis(started),
            ended: Duration::from_millis(ended),
            status: 200,
        }
    }

    #[test]
    fn parallel_calls_are_one_trip() {
        assert_eq!(round_trips(&[]), 0);
        assert_eq!(round_trips(&[call(0, 4), call(1, 9), call(4, 6), call(7, 8)]), 3);
        assert_eq!(round_trips(&[call(0, 10), call(1, 9)]), 1);
    }

    #[test]
    fn the_credential_names_the_caller() {
        let calls = Calls::new(Assignments::default(), Requests::new(|_, _| {}));
        let header = "AWS4-HMAC-SHA256 Credential=auth-nopasscode.12/20200101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host";
        assert_eq!(calls.caller(Some(header)).function.as_deref(), Some("auth-nopasscode"));
        assert_eq!(calls.caller(Some("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2020/x")).function, None);
        assert_eq!(calls.caller(None).function, None);
    }
}
