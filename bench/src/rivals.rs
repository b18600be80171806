//! The bare function beside each of ours: it makes the calls that ours was seen to make, and nothing else.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    arena::Arena,
    contestants::{Contestant, FUNCTIONS},
};

/// The bare function that makes these calls of `contestant`'s; `binary` is its executable.
///
/// # Errors
/// Calls that are no JSON.
pub fn bare(contestant: &Contestant, trips: &[Vec<Value>], binary: &Path) -> Result<Contestant> {
    let mut bare = Contestant { name: format!("bare {}", contestant.name), ..contestant.variant(binary) };
    bare.environment.insert("CALLS".to_owned(), serde_json::to_string(trips)?);
    Ok(bare)
}

/// Watches `contestant` answer one request, and returns the calls that it makes for it, each `{"action", "request"}`, in
/// trips: what is in one trip is under way at once.
///
/// # Errors
/// A function that fails, and one that makes other calls than [`FUNCTIONS`] says.
pub async fn calls(arena: &Arena, contestant: &Contestant) -> Result<Vec<Vec<Value>>> {
    let (_, _, trips) = FUNCTIONS.iter().find(|(name, ..)| *name == contestant.name).context("no such function")?;
    let mut process = arena.start(contestant, &[]).await?;
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let record = seen.clone();
    arena.backends.faults.inject(move |attempt| {
        let call = json!({ "action": attempt.action, "request": attempt.request });
        record.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        None
    });
    let asked = arena.ask(contestant, &mut process).await;
    arena.backends.faults.clear();
    asked?;
    arena.reset()?;
    let mut calls = seen.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter();
    let trips: Vec<Vec<Value>> = trips.iter().map(|at_once| calls.by_ref().take(*at_once).collect()).collect();
    ensure!(
        calls.next().is_none() && trips.iter().all(|trip| !trip.is_empty()),
        "{} makes other calls",
        contestant.name
    );
    Ok(trips)
}
