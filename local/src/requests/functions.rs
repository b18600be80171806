//! What each function is doing: its processes, its calls, and how the last of them went wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// One function's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionState {
    /// Processes that run now.
    pub processes: usize,
    /// Processes started so far.
    pub started: u64,
    /// Invocations so far.
    pub calls: u64,
    /// Invocations that ended without a reply.
    pub failures: u64,
    /// The last failure, in plain words.
    pub last_failure: Option<String>,
}

/// Every function's state, by name.
#[derive(Clone, Default)]
pub struct Functions(Arc<Mutex<BTreeMap<String, FunctionState>>>);

impl Functions {
    pub(crate) fn process_started(&self, function: &str) {
        let mut states = self.lock();
        let state = states.entry(function.to_owned()).or_default();
        state.processes += 1;
        state.started += 1;
    }

    pub(crate) fn process_ended(&self, function: &str) {
        let mut states = self.lock();
        let state = states.entry(function.to_owned()).or_default();
        state.processes = state.processes.saturating_sub(1);
    }

    pub(crate) fn called(&self, function: &str, failure: Option<&str>) {
        let mut states = self.lock();
        let state = states.entry(function.to_owned()).or_default();
        state.calls += 1;
        if let Some(failure) = failure {
            state.failures += 1;
            state.last_failure = Some(failure.to_owned());
        }
    }

    /// The state of every function that has run.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, FunctionState> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, FunctionState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
