//! `cargo run -p bench --release`: measures the functions beside their rivals and writes `docs/performance.md`.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is measured has far fewer digits than an f64"
)]

mod arena;
mod baseline;
mod callgrind;
mod chart;
mod contestants;
mod measure;
mod process;
mod report;
mod rivals;
mod throttle;
mod tls;

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use arena::Arena;
use baseline::{Baseline, Needs};
use clap::{Args, Parser, Subcommand};
use contestants::{Contestant, Peer};
use local::binaries::project_root;
use report::Line;

/// Measures the functions beside a floor, bare functions that make the same calls and, on request, their peers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    measuring: Measuring,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compare instructions and sizes with the baseline, and fail where a function needs over a tenth more.
    Guard {
        /// Make what is found the new baseline.
        #[arg(long)]
        accept: bool,
    },
}

#[derive(Debug, Args)]
struct Measuring {
    /// Rounds, in each of which every contestant has its turn.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Warm requests in each round.
    #[arg(long, default_value_t = 40)]
    warm: usize,
    /// Peers that take part too; `local/bench/peers/install` installs those of other languages.
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// Contestants by name; all without it.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Do not count instructions.
    #[arg(long)]
    no_callgrind: bool,
    /// Print the table and leave the documents alone.
    #[arg(long)]
    dry_run: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let root = project_root()?;
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    match arguments.what {
        None => measure(&root, &folder, &arguments.measuring).await.map(|()| ExitCode::SUCCESS),
        Some(What::Guard { accept }) => guard(&root, &folder, accept).await,
    }
}

async fn measure(root: &Path, folder: &Path, arguments: &Measuring) -> Result<()> {
    let (ours, bare) = contestants::ours(root).await?;
    let arena = Arena::open(folder).await?;
    let contestants = contestants(root, &arena, ours, &bare, arguments).await?;
    let figures = measure::measure(&arena, &contestants, arguments.rounds, arguments.warm).await?;
    let mut lines = Vec::new();
    for (figures, contestant) in figures.into_iter().zip(&contestants) {
        let counted = contestant.is_compiled() && !arguments.no_callgrind;
        let instructions = if counted { Some(callgrind::count(&arena, contestant, folder).await?) } else { None };
        lines.push(Line { figures, instructions });
    }
    let table = report::table(&lines);
    say(&table);
    if !arguments.dry_run {
        let circumstances = report::circumstances();
        let rounds = format!("{circumstances}; {} rounds of {} warm requests.", arguments.rounds, arguments.warm);
        report::insert(&root.join("docs/performance.md"), "figures", &format!("{rounds}\n\n{table}"))?;
        std::fs::write(root.join("docs/performance-cold.svg"), report::cold_chart(&lines))?;
    }
    Ok(())
}

/// Whoever takes part, in the order of the table.
async fn contestants(
    root: &Path,
    arena: &Arena,
    ours: Vec<Contestant>,
    [bare, bare_mail]: &[PathBuf; 2],
    arguments: &Measuring,
) -> Result<Vec<Contestant>> {
    let event = ours.iter().find(|it| it.name == "get-customer").context("get-customer is missing")?.event.clone();
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut all = Vec::new();
    for contestant in ours {
        let is_http = contestant.name != contestants::FLOOR && contestant.name != "operator";
        if is_http && wanted(&format!("bare {}", contestant.name)) {
            let binary = if contestant.name == "send-passcode" { bare_mail } else { bare };
            all.push(rivals::bare(arena, &contestant, binary).await?);
        }
        // The floor is what the others are compared with.
        if contestant.name == contestants::FLOOR || wanted(&contestant.name) {
            all.push(contestant);
        }
    }
    for peer in &arguments.peers {
        all.push(contestants::peer(root, *peer, event.clone()).await?);
    }
    Ok(all)
}

async fn guard(root: &Path, folder: &Path, accept: bool) -> Result<ExitCode> {
    let (ours, _) = contestants::ours(root).await?;
    let arena = Arena::open(folder).await?;
    let mut functions = BTreeMap::new();
    for contestant in &ours {
        let instructions = callgrind::count(&arena, contestant, folder).await?;
        let needs = Needs::new(instructions, measure::sizes(&contestant.package)?);
        functions.insert(contestant.name.clone(), needs);
    }
    let (file, now) = (root.join("local/bench/baseline.json"), Baseline::of_this_machine(functions));
    if accept {
        now.write(&file)?;
        say("The baseline is what was found.");
        return Ok(ExitCode::SUCCESS);
    }
    let baseline = Baseline::read(&file)?;
    let (changes, too_much) = baseline.compare(&now);
    for change in &changes {
        say(change);
    }
    if changes.is_empty() {
        say("Nothing has changed by more than a hundredth.");
    }
    if !too_much {
        return Ok(ExitCode::SUCCESS);
    }
    if baseline.processor != now.processor {
        say("The baseline was made on another kind of processor, for which other code is chosen: a warning only.");
        return Ok(ExitCode::SUCCESS);
    }
    say("Over a tenth more. If it has to be: cargo run -p bench -- guard --accept");
    Ok(ExitCode::FAILURE)
}

fn say(text: &str) {
    // Nobody may be reading standard output; that is no reason to end.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
