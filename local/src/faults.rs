//! Faults between the functions and their backends: what a test wants to go wrong, at which call.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{Response, StatusCode},
};
use futures_util::stream;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::calls::{Caller, Made};

/// One way in which a call goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It takes effect, and is answered this much later.
    Slow(Duration),
    /// It is answered with this status and body, and takes no effect.
    Answer(u16, Value),
    /// The connection is cut before it takes effect.
    CutBefore,
    /// It takes effect, and the connection is cut before it is answered.
    CutAfter,
    /// Of a `BatchGetItem`, the first key is left unread.
    Partial,
    /// Of a `BatchGetItem`, these keys are left unread, each with its table.
    Unread(Vec<(String, Value)>),
    /// The process that calls is killed before the call takes effect.
    KillBefore,
    /// The process that calls is killed once the call has taken effect.
    KillAfter,
}

/// A call that is about to be made.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The API action, such as `BatchGetItem`.
    pub action: &'a str,
    /// The request.
    pub request: &'a Value,
    /// The tables that it names.
    pub tables: &'a [String],
}

type Plan = dyn Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync;

/// What is to go wrong from now on; nothing at first.
#[derive(Clone, Default)]
pub struct Faults {
    plan: Arc<RwLock<Option<Arc<Plan>>>>,
    replies: Arc<AtomicU32>,
}

impl Fault {
    /// It in plain words.
    fn words(&self) -> String {
        match self {
            Self::Slow(delay) => format!("the answer came {} ms later", delay.as_millis()),
            Self::Answer(status, _) => format!("answered with {status}, without taking effect"),
            Self::CutBefore => "the connection was cut before the call took effect".to_owned(),
            Self::CutAfter => "the call took effect, and its answer was lost".to_owned(),
            Self::Partial => "the first key was left unread".to_owned(),
            Self::Unread(keys) => format!("{} of the keys were left unread", keys.len()),
            Self::KillBefore => "the process was killed before the call took effect".to_owned(),
            Self::KillAfter => "the call took effect, and the process was killed".to_owned(),
        }
    }

    const fn cuts(&self) -> bool {
        matches!(self, Self::CutBefore | Self::CutAfter | Self::KillBefore | Self::KillAfter)
    }
}

impl Faults {
    /// Asks `plan` at each call of a function from now on.
    pub fn inject(&self, plan: impl Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync + 'static) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(plan));
    }

    /// Lets everything go well again.
    pub fn clear(&self) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Loses the API's next reply on its way to the caller.
    pub fn lose_reply(&self) {
        self.replies.fetch_add(1, Ordering::Relaxed);
    }

    /// How many of the API's next replies are to be lost.
    #[must_use]
    pub fn replies_to_lose(&self) -> u32 {
        self.replies.load(Ordering::Relaxed)
    }

    /// Whether this reply is one of those.
    pub(crate) fn takes_reply(&self) -> bool {
        let less = |count: u32| count.checked_sub(1);
        self.replies.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Makes a call, unless it is to go wrong. Whoever is no function is spared.
    pub(crate) async fn around(&self, attempt: Attempt<'_>, call: impl Future<Output = Response<Body>>) -> Made {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner).clone();
        let is_function = attempt.caller.function.is_some();
        match plan.filter(|_| is_function).and_then(|plan| plan(&attempt)) {
            None => Made { answer: call.await, fault: None, cut: false },
            Some(fault) => {
                let (words, cut) = (Some(fault.words()), fault.cuts());
                Made { answer: go_wrong(fault, attempt, call).await, fault: words, cut }
            }
        }
    }
}

async fn go_wrong(fault: Fault, attempt: Attempt<'_>, call: impl Future<Output = Response<Body>>) -> Response<Body> {
    match fault {
        Fault::Slow(delay) => {
            let answer = call.await;
            tokio::time::sleep(delay).await;
            answer
        }
        Fault::Answer(status, body) => answer(status, &body),
        Fault::CutBefore => cut(),
        Fault::CutAfter => {
            call.await;
            cut()
        }
        Fault::Partial => leave_unread(attempt.request, &first_key(attempt.request), call.await).await,
        Fault::Unread(keys) => leave_unread(attempt.request, &keys, call.await).await,
        Fault::KillBefore => {
            kill(attempt.caller);
            cut()
        }
        Fault::KillAfter => {
            call.await;
            kill(attempt.caller);
            cut()
        }
    }
}

/// Ends the process that calls as the kernel would that has no memory left.
fn kill(caller: &Caller) {
    if let Some(process) = caller.process.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        // It may have ended by itself.
        let _ = kill_process(process, Signal::KILL);
    }
}

/// The first key of a `BatchGetItem`.
fn first_key(request: &Value) -> Vec<(String, Value)> {
    let tables = request["RequestItems"].as_object().into_iter().flatten();
    tables.map(|(table, asked)| (table.clone(), asked["Keys"][0].clone())).take(1).collect()
}

/// Takes the items of these keys out of the answer to a `BatchGetItem`, and says so in it.
async fn leave_unread(request: &Value, keys: &[(String, Value)], answered: Response<Body>) -> Response<Body> {
    if keys.is_empty() {
        return answered;
    }
    let body = axum::body::to_bytes(answered.into_body(), usize::MAX).await.unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    for (table, key) in keys {
        if let Some(items) = body["Responses"][table].as_array_mut() {
            let is_of_key =
                |item: &Value| key.as_object().is_some_and(|key| key.iter().all(|(name, it)| item[name] == *it));
            items.retain(|item| !is_of_key(item));
        }
        let unread = &mut body["UnprocessedKeys"][table];
        if unread.is_null() {
            *unread = request["RequestItems"][table].clone();
            unread["Keys"] = Value::Array(Vec::new());
        }
        unread["Keys"].as_array_mut().into_iter().for_each(|keys| keys.push(key.clone()));
    }
    answer(200, &body)
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

/// A body that breaks off: the server then closes the connection.
pub(crate) fn cut() -> Response<Body> {
    let broken = stream::iter([Ok::<_, std::io::Error>(Bytes::new()), Err(std::io::Error::other("cut"))]);
    Response::new(Body::from_stream(broken))
}

/// A plan under which nothing goes wrong but that everything takes this long, as it does across a network.
pub fn latency(delay: Duration) -> impl Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync {
    move |_| Some(Fault::Slow(delay))
}
