//! What a person wants to go wrong, now.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::faults::{Attempt, Fault, Faults};

/// How much later an answer comes when the network is slow.
const SLOW: Duration = Duration::from_millis(300);

/// One wish.
#[derive(Debug, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// SES refuses the next mail.
    FailMail,
    /// The API's next reply is lost.
    LoseReply,
    /// The process that next calls a backend is killed.
    Kill,
    /// Calls of this table are throttled, or no longer.
    Throttle { table: String, on: bool },
    /// Every call of a backend takes longer, or no longer.
    Slow { on: bool },
    /// Everything goes well again.
    Clear,
}

/// What is wished for.
#[derive(Clone)]
pub struct Wishes {
    faults: Faults,
    wanted: Arc<Mutex<Wanted>>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Wanted {
    mails_to_fail: u32,
    processes_to_kill: u32,
    throttled: BTreeSet<String>,
    slow: bool,
}

impl Wishes {
    /// Wishes that `faults` will fulfil.
    pub fn new(faults: Faults) -> Self {
        Self { faults, wanted: Arc::default() }
    }

    /// Takes a wish.
    pub fn take(&self, wish: Wish) {
        let mut wanted = self.lock();
        match wish {
            Wish::FailMail => wanted.mails_to_fail += 1,
            Wish::LoseReply => self.faults.lose_reply(),
            Wish::Kill => wanted.processes_to_kill += 1,
            Wish::Throttle { table, on: true } => drop(wanted.throttled.insert(table)),
            Wish::Throttle { table, on: false } => drop(wanted.throttled.remove(&table)),
            Wish::Slow { on } => wanted.slow = on,
            Wish::Clear => {
                *wanted = Wanted::default();
                while self.faults.takes_reply() {}
            }
        }
        drop(wanted);
        let wanted = Arc::clone(&self.wanted);
        self.faults.inject(move |attempt| wanted.lock().unwrap_or_else(PoisonError::into_inner).fulfil(attempt));
    }

    /// What is still to go wrong.
    pub fn state(&self) -> serde_json::Value {
        let mut state = json!(*self.lock());
        state["replies_to_lose"] = self.faults.replies_to_lose().into();
        state
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    fn fulfil(&mut self, attempt: &Attempt<'_>) -> Option<Fault> {
        // During its start a process calls for no request.
        attempt.caller.request_id.as_ref()?;
        if self.processes_to_kill > 0 {
            self.processes_to_kill -= 1;
            return Some(Fault::KillBefore);
        }
        if attempt.action == "SendEmail" && self.mails_to_fail > 0 {
            self.mails_to_fail -= 1;
            let refusal = json!({ "__type": "MessageRejected", "message": "Refused on purpose by the inspector." });
            return Some(Fault::Answer(400, refusal));
        }
        if attempt.tables.iter().any(|table| self.throttled.contains(table)) {
            let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            return Some(Fault::Answer(
                400,
                json!({ "__type": kind, "message": "Throttled on purpose by the inspector." }),
            ));
        }
        self.slow.then_some(Fault::Slow(SLOW))
    }
}
