//! Which process works on which request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Which invocation each process is working on, so that a call to a backend can be put down to its request.
#[derive(Clone, Default)]
pub struct Assignments(Arc<Mutex<HashMap<String, Assignment>>>);

/// A process, and what it works on.
#[derive(Clone)]
struct Assignment {
    process: Option<u32>,
    recorded_as: String,
    /// Whether it is at it still.
    under_way: bool,
}

impl Assignments {
    pub(crate) fn begin(&self, name: &str, process: Option<u32>, recorded_as: &str) {
        let assignment = Assignment { process, recorded_as: recorded_as.to_owned(), under_way: true };
        self.lock().insert(name.to_owned(), assignment);
    }

    pub(crate) fn end(&self, name: &str) {
        if let Some(assignment) = self.lock().get_mut(name) {
            assignment.under_way = false;
        }
    }

    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// The request that the process of this name (its access key id) works on.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<String> {
        self.lock().get(name).filter(|it| it.under_way).map(|it| it.recorded_as.clone())
    }

    /// The request that the process of this name works on or has worked on last.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<String> {
        self.lock().get(name).map(|it| it.recorded_as.clone())
    }

    /// The id of the process of this name, while it works on a request.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<u32> {
        self.lock().get(name).filter(|it| it.under_way)?.process
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Assignment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
