//! What the pages hand out to whoever tries the system: its addresses and the credentials of its demo.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

/// Empty until the system is ready.
#[derive(Clone, Default)]
pub struct Handout(Arc<RwLock<Value>>);

impl Handout {
    /// Hands this out from now on, in the shape of the ready file.
    pub fn set(&self, handout: Value) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = handout;
    }

    /// What is handed out; `null` before.
    #[must_use]
    pub fn get(&self) -> Value {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
