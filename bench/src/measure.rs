//! Rounds: every contestant in turn, again and again, so that whatever else the machine does hits all of them alike.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Result;
use flate2::{Compression, write::DeflateEncoder};
use serde::Serialize;

use crate::{
    arena::Arena,
    contestants::{Contestant, Package},
    throttle::Share,
};

/// What one contestant has needed. Times are medians over the rounds, but for the percentiles.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The contestant.
    pub name: String,
    /// CPU seconds from start to the first call of `/next`.
    pub init_cpu: f64,
    /// CPU seconds of the first request.
    pub first_cpu: f64,
    /// CPU seconds of a warm request.
    pub warm_cpu: f64,
    /// Seconds that the first request took at the CPU share of 128 MB; absent where the system sets no such limits.
    pub first_wall_throttled: Option<f64>,
    /// Seconds that half, 90% and 99% of the warm requests did not exceed.
    pub warm_wall: [f64; 3],
    /// Page faults from start to the end of the first request.
    pub cold_faults: f64,
    /// The most memory that was resident in any round, in bytes.
    pub peak_rss: u64,
    /// What is deployed, in bytes.
    pub size: u64,
    /// The same, zipped.
    pub zipped: u64,
}

impl Figures {
    /// CPU seconds of init and first request together.
    pub fn cold_cpu(&self) -> f64 {
        self.init_cpu + self.first_cpu
    }
}

#[derive(Default)]
struct Samples {
    init: Vec<f64>,
    first: Vec<f64>,
    warm: Vec<f64>,
    throttled: Vec<f64>,
    wall: Vec<f64>,
    faults: Vec<f64>,
    peak_rss: u64,
}

/// Measures all `contestants` in `rounds` rounds with `warm` warm requests each.
///
/// # Errors
/// A contestant that fails.
pub async fn measure(arena: &Arena, contestants: &[Contestant], rounds: usize, warm: usize) -> Result<Vec<Figures>> {
    let mut samples: Vec<Samples> = contestants.iter().map(|_| Samples::default()).collect();
    let share = Share::of_128_mb();
    for round in 0..=rounds {
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            // The round before the first is for the page cache.
            let mut ignored = Samples::default();
            let samples = if round == 0 { &mut ignored } else { samples };
            one_round(arena, contestant, warm, samples).await?;
            if let Some(share) = &share {
                let mut process = arena.start(contestant, &[]).await?;
                share.hold(process.id())?;
                samples.throttled.push(arena.ask(contestant, &mut process).await?);
            }
        }
    }
    contestants.iter().zip(samples).map(|(contestant, samples)| figures(contestant, samples)).collect()
}

async fn one_round(arena: &Arena, contestant: &Contestant, warm: usize, samples: &mut Samples) -> Result<()> {
    let mut process = arena.start(contestant, &[]).await?;
    let init = process.cpu().await?.as_secs_f64();
    arena.ask(contestant, &mut process).await?;
    let first = process.cpu().await?.as_secs_f64();
    samples.faults.push(process.page_faults()? as f64);
    for _ in 0..warm {
        samples.wall.push(arena.ask(contestant, &mut process).await?);
    }
    let all = process.cpu().await?.as_secs_f64();
    samples.init.push(init);
    samples.first.push(first - init);
    samples.warm.push((all - first) / warm as f64);
    samples.peak_rss = samples.peak_rss.max(process.peak_rss()?);
    Ok(())
}

fn figures(contestant: &Contestant, mut samples: Samples) -> Result<Figures> {
    let (size, zipped) = sizes(&contestant.package)?;
    Ok(Figures {
        name: contestant.name.clone(),
        init_cpu: quantile(&mut samples.init, 0.5),
        first_cpu: quantile(&mut samples.first, 0.5),
        warm_cpu: quantile(&mut samples.warm, 0.5),
        first_wall_throttled: (!samples.throttled.is_empty()).then(|| quantile(&mut samples.throttled, 0.5)),
        warm_wall: [0.5, 0.9, 0.99].map(|part| quantile(&mut samples.wall, part)),
        cold_faults: quantile(&mut samples.faults, 0.5),
        peak_rss: samples.peak_rss,
        size,
        zipped,
    })
}

/// The value that `part` of the samples do not exceed.
pub fn quantile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// The size of what is deployed, as it is and compressed as in a zip file.
///
/// # Errors
/// Files that cannot be read.
pub fn sizes(package: &Package) -> Result<(u64, u64)> {
    let mut files = Vec::new();
    match package {
        Package::Binary(file) => files.push(file.clone()),
        Package::Folder(folder) => collect(folder, &mut files)?,
    }
    let (mut size, mut zipped) = (0, 0);
    for file in files {
        let bytes = std::fs::read(file)?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes)?;
        size += bytes.len() as u64;
        zipped += encoder.finish()?.len() as u64;
    }
    Ok((size, zipped))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { collect(&entry.path(), files)? } else { files.push(entry.path()) }
    }
    Ok(())
}
