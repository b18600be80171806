//! `cargo run -p bench --release`: measures the functions beside their rivals and writes `docs/performance.md`.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is measured has far fewer digits than an f64"
)]

mod arena;
mod baseline;
mod beside;
mod callgrind;
mod chart;
mod contestants;
mod costs;
mod goals;
mod hot_record;
mod idle;
mod load;
mod measure;
mod places;
mod process;
mod profile;
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
use clap::{Args, Parser, Subcommand};
use local::binaries::project_root;

use arena::Arena;
use baseline::{Baseline, Needs};
use contestants::{Contestant, Peer};
use costs::Usage;
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
    /// Compare instructions and sizes of what `cargo lambda build --release` has built with the baseline, and fail where a
    /// function needs over a tenth more.
    Guard {
        /// Make what is found the new baseline.
        #[arg(long)]
        accept: bool,
    },
    /// Load the whole local system until it saturates, and write the curve.
    Load,
    /// Start an engine that serves the functions, call it, and write its figures beside those of the others that ran since
    /// target/bench/beside was emptied. `./check beside` does it with all.
    Beside(beside::Engine),
    /// Call a function for one App more often than an item is answered, and write what becomes of the requests.
    HotRecord,
    /// Itemise what the template costs in a month without requests.
    Idle,
    /// Show where the time of a cold start goes that instructions do not show, of the floor and of some functions. Needs perf,
    /// and a system that lets it watch the kernel.
    Places,
    /// Show where a function's instructions go, by crate.
    Profile {
        /// The function.
        function: String,
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
    /// Peers that take part too; `bench/peers/install` installs those of other languages.
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// Another build of a function, measured beside the function.
    #[arg(long, value_name = "FUNCTION=EXECUTABLE")]
    variant: Vec<String>,
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
        Some(What::Load) => load(&root).await.map(|()| ExitCode::SUCCESS),
        Some(What::Beside(engine)) => {
            let engines = beside::measure(&root, &folder, &engine).await?;
            let table = report::beside_table(&engines);
            say(&table);
            let text = format!("{}.\n\n{table}", report::circumstances());
            report::insert(&root.join("docs/performance.md"), "beside", &text)?;
            std::fs::write(root.join("docs/performance-beside.svg"), report::beside_chart(&engines))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(What::HotRecord) => {
            let table = hot_record::table(&root).await?;
            say(&table);
            let text = format!("{}; {table}", report::circumstances());
            report::insert(&root.join("docs/performance.md"), "hot-record", &text).map(|()| ExitCode::SUCCESS)
        }
        Some(What::Idle) => {
            let table = idle::table(&template(&root)?)?;
            say(&table);
            report::insert(&root.join("docs/operations.md"), "idle", &table).map(|()| ExitCode::SUCCESS)
        }
        Some(What::Places) => look(&root, &folder).await.map(|()| ExitCode::SUCCESS),
        Some(What::Profile { function }) => show_profile(&root, &folder, &function).await.map(|()| ExitCode::SUCCESS),
    }
}

fn template(root: &Path) -> Result<String> {
    std::fs::read_to_string(root.join("template.yaml")).context("cannot read template.yaml")
}

async fn measure(root: &Path, folder: &Path, arguments: &Measuring) -> Result<()> {
    let arena = Arena::open(folder).await?;
    let (contestants, usages) = contestants(root, &arena, arguments).await?;
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
        // Peers use what the function uses that they stand for; what is bare or a floor is nobody's to run.
        let priced = lines
            .iter()
            .zip(&contestants)
            .filter(|(line, contestant)| line.figures.name == contestant.acts_as || contestant.is_a_peer());
        let priced = priced.filter_map(|(line, contestant)| Some((&line.figures, *usages.get(&contestant.acts_as)?)));
        let priced: Vec<_> = priced.collect();
        let document = root.join("docs/performance.md");
        report::insert(&document, "goals", &goals::table(&lines))?;
        report::insert(&document, "costs", &costs::table(&priced))?;
        report::insert(&document, "months", &costs::months(&priced, idle::sum(&template(root)?)?))?;
        std::fs::write(root.join("docs/performance-cold.svg"), report::cold_chart(&lines))?;
    }
    Ok(())
}

fn is_wanted(arguments: &Measuring, name: &str) -> bool {
    arguments.only.is_empty() || arguments.only.iter().any(|only| only == name)
}

/// Whoever takes part, in the order of the table: the floor, with which all others are compared, the functions, each
/// beside its bare one, and the peers.
/// With them comes what a request of each function, by its name, uses.
async fn contestants(
    root: &Path,
    arena: &Arena,
    arguments: &Measuring,
) -> Result<(Vec<Contestant>, BTreeMap<String, Usage>)> {
    let (floor, rivals) = contestants::rivals(root)?;
    let functions = contestants::deployed(root)?;
    let get_customer = functions.iter().find(|it| it.name == "get-customer").context("get-customer is missing")?;
    let event = get_customer.event.clone();
    let (mut all, mut usages) = (vec![floor], BTreeMap::new());
    for function in functions {
        let calls = rivals::calls(arena, &function).await?;
        usages.insert(function.name.clone(), Usage::of(&calls));
        if function.is_http() && is_wanted(arguments, &format!("bare {}", function.name)) {
            let binary = if function.name == "send-passcode" { &rivals.bare_mail } else { &rivals.bare };
            all.push(rivals::bare(&function, &calls, binary)?);
        }
        let variants = arguments.variant.iter().filter_map(|it| it.strip_prefix(&function.name)?.strip_prefix('='));
        all.extend(variants.map(|binary| function.variant(Path::new(binary))));
        if is_wanted(arguments, &function.name) {
            all.push(function);
        }
    }
    for peer in &arguments.peers {
        all.push(contestants::peer(root, *peer, event.clone()).await?);
    }
    Ok((all, usages))
}

async fn guard(root: &Path, folder: &Path, accept: bool) -> Result<ExitCode> {
    let contestants = contestants::deployed(root)?;
    // What is counted does not depend on what else runs.
    let (some, others) = contestants.split_at(contestants.len() / 2);
    let (mut functions, more) =
        tokio::try_join!(needs(some, folder.join("some")), needs(others, folder.join("others")))?;
    functions.extend(more);
    let (file, now) = (root.join("bench/baseline.json"), Baseline::of_this_machine(functions));
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

/// What these need, one after another, in an arena of their own.
async fn needs(contestants: &[Contestant], folder: PathBuf) -> Result<BTreeMap<String, Needs>> {
    std::fs::create_dir_all(&folder)?;
    let arena = Arena::open(&folder).await?;
    let mut needs = BTreeMap::new();
    for contestant in contestants {
        let instructions = callgrind::count(&arena, contestant, &folder).await?;
        needs.insert(contestant.name.clone(), Needs::new(instructions, measure::sizes(&contestant.package)?));
    }
    Ok(needs)
}

async fn load(root: &Path) -> Result<()> {
    let steps = load::rise(&contestants::functions(root)?).await?;
    let table = report::load_table(&steps);
    say(&table);
    let text = format!("{}.\n\n{table}", report::circumstances());
    report::insert(&root.join("docs/performance.md"), "load", &text)?;
    let points: Vec<_> = steps.iter().map(|step| (step.callers, step.rate, step.latency[1] * 1e3)).collect();
    let chart = chart::load("GET /customer/{cuid} through the whole local system", &points);
    Ok(std::fs::write(root.join("docs/performance-load.svg"), chart)?)
}

/// Shows where time goes of the floor, of the function that does least, of one with a second connection, and of the one that
/// mails.
async fn look(root: &Path, folder: &Path) -> Result<()> {
    let arena = Arena::open(folder).await?;
    let (floor, _) = contestants::rivals(root)?;
    let functions = contestants::deployed(root)?;
    let shown = functions.iter().filter(|it| ["get-customer", "sso", "send-passcode"].contains(&it.name.as_str()));
    let mut all = Vec::new();
    for contestant in [&floor].into_iter().chain(shown) {
        all.push(places::look(&arena, contestant, folder).await?);
    }
    let table = places::table(&all);
    say(&table);
    let text = format!("{}.\n\n{table}", report::circumstances());
    report::insert(&root.join("docs/performance.md"), "places", &text)
}

/// Builds the function with its symbols, profiles it, and writes the shares of the crates into the document.
async fn show_profile(root: &Path, folder: &Path, function: &str) -> Result<()> {
    let contestant = contestants::with_symbols(root, function, folder)?;
    let arena = Arena::open(folder).await?;
    let table = profile::table(&callgrind::profiles(&arena, &contestant, folder).await?)?;
    say(&table);
    let text = format!("`{function}`, {}:\n\n{table}", report::circumstances());
    report::insert(&root.join("docs/performance.md"), "profile", &text)
}

fn say(text: &str) {
    // Nobody may be reading standard output; that is no reason to end.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
