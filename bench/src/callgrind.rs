//! Instructions, counted by callgrind: they repeat, whatever else the machine does.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{arena::Arena, contestants::Contestant};

/// Warm requests that the count of one is taken from.
const WARM: u32 = 20;

/// Instructions in user space.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Instructions {
    /// Of init and the first request.
    pub cold: u64,
    /// Of a warm request.
    pub warm: u64,
}

/// Counts a contestant's instructions; the profiles stay in `folder`.
///
/// # Errors
/// No valgrind, or a contestant that fails.
pub async fn count(arena: &Arena, contestant: &Contestant, folder: &Path) -> Result<Instructions> {
    let cold = run(arena, contestant, folder, 1).await?;
    let all = run(arena, contestant, folder, 1 + WARM).await?;
    Ok(Instructions { cold, warm: all.saturating_sub(cold) / u64::from(WARM) })
}

/// The profiles, in callgrind's own form, of a contestant's run through one request and of one through more, and how
/// many more.
///
/// # Errors
/// As [`count`].
pub async fn profiles(arena: &Arena, contestant: &Contestant, folder: &Path) -> Result<([String; 2], u64)> {
    let mut texts = [String::new(), String::new()];
    for (text, requests) in texts.iter_mut().zip([1, 1 + WARM]) {
        run(arena, contestant, folder, requests).await?;
        *text = std::fs::read_to_string(profile(folder, contestant, requests))?;
    }
    Ok((texts, u64::from(WARM)))
}

/// The clock of what is counted goes a thousand times slower: callgrind and a busy machine make everything slow, and a call
/// that runs out of time is made again. The file is that of Debian's package `faketime`.
fn slow_clock() -> Result<[String; 4]> {
    let library = std::fs::read_dir("/usr/lib")?
        .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|file| file.is_file())
        .context("there is no libfaketime: install the package faketime")?;
    let preload = format!("LD_PRELOAD={}", library.display());
    // It would read its settings again every ten seconds.
    Ok(["env".to_owned(), preload, "FAKETIME=+0 x0.001".to_owned(), "FAKETIME_CACHE_DURATION=1000000".to_owned()])
}

/// Runs the contestant through `requests` requests and returns how many instructions that took.
async fn run(arena: &Arena, contestant: &Contestant, folder: &Path, requests: u32) -> Result<u64> {
    let file = profile(folder, contestant, requests);
    // A run before may have left one.
    let _ = std::fs::remove_file(&file);
    let out = format!("--callgrind-out-file={}", file.display());
    let valgrind = ["valgrind", "--quiet", "--tool=callgrind", &out].map(str::to_owned);
    let before = arena.authority.connections();
    let mut process = arena.start(contestant, &[&slow_clock()?[..], &valgrind[..]].concat()).await?;
    for _ in 0..requests {
        arena.ask(contestant, &mut process).await?;
    }
    process.end().await?;
    let opened = arena.authority.connections() - before;
    ensure!(opened <= contestant.connections(requests), "{} opened {opened} connections", contestant.name);
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
