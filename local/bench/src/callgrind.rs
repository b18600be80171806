//! Instructions, counted by callgrind: they repeat, whatever else the machine does.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::{arena::Arena, contestants::Contestant};

/// Warm requests that the count of one is taken from.
const WARM: u32 = 20;

/// Instructions in user space.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Instructions {
    /// From start to the first call of `/next`.
    pub init: u64,
    /// From start to the second call: init and the first request.
    pub cold: u64,
    /// Of a warm request.
    pub warm: u64,
}

/// Counts a contestant's instructions; the profiles stay in `folder`.
///
/// # Errors
/// No valgrind, or a contestant that fails.
pub async fn count(arena: &Arena, contestant: &Contestant, folder: &Path) -> Result<Instructions> {
    let [init, cold, once, twice] = [0, 1, 1 + WARM, 1 + 2 * WARM];
    let twice = run(arena, contestant, folder, twice).await?;
    let once = run(arena, contestant, folder, once).await?;
    Ok(Instructions {
        init: run(arena, contestant, folder, init).await?,
        cold: run(arena, contestant, folder, cold).await?,
        warm: twice.saturating_sub(once) / u64::from(WARM),
    })
}

/// How often a run is tried. Under callgrind on a busy machine a handshake may take longer than the SDK gives it; it is
/// then tried again, and its instructions would count twice.
const ATTEMPTS: u32 = 6;

/// Runs the contestant through `requests` requests and returns how many instructions that took.
async fn run(arena: &Arena, contestant: &Contestant, folder: &Path, requests: u32) -> Result<u64> {
    let mut last = anyhow!("it opened more connections than it needs");
    for _ in 0..ATTEMPTS {
        let before = arena.authority.connections();
        match run_once(arena, contestant, folder, requests).await {
            Ok(total) if arena.authority.connections() - before <= contestant.connections => return Ok(total),
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last
        .context(format!("{} cannot be counted, even in {ATTEMPTS} attempts: is the machine busy?", contestant.name)))
}

async fn run_once(arena: &Arena, contestant: &Contestant, folder: &Path, requests: u32) -> Result<u64> {
    let file = profile(folder, contestant, requests);
    // A run before may have left one.
    let _ = std::fs::remove_file(&file);
    let out = format!("--callgrind-out-file={}", file.display());
    let mut process =
        arena.start(contestant, &["valgrind", "--quiet", "--tool=callgrind", &out].map(str::to_owned)).await?;
    for _ in 0..requests {
        arena.ask(contestant, &mut process).await?;
    }
    process.end().await?;
    let profile = std::fs::read_to_string(&file).with_context(|| format!("valgrind has left no {}", file.display()))?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.context("valgrind's file has no total")?.trim().parse()?;
    ensure!(total > 0, "valgrind has counted nothing");
    Ok(total)
}

/// Where the profile of a run is kept.
pub fn profile(folder: &Path, contestant: &Contestant, requests: u32) -> PathBuf {
    folder.join(format!("{}.{requests}.callgrind", contestant.name.replace([' ', ','], "-")))
}
