//! Who takes part: how each is built and started, and what it is asked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use local::binaries::cargo_build;
use serde_json::{Value, json};

/// Our functions, each with the event of `events/` that it is measured by and how its calls to the backends follow one
/// another: so many at once, then so many at once.
pub const FUNCTIONS: [(&str, &str, &[usize]); 12] = [
    ("get-customer", "by-its-app", &[1]),
    ("create-customer", "created", &[1, 1]),
    ("change-customer", "changed", &[1, 1]),
    ("list-customers", "all", &[1, 1, 1]),
    ("sso", "redirected", &[1, 2]),
    ("redeem-ticket", "redeemed", &[1, 1]),
    ("send-passcode", "mailed", &[1, 3, 1, 1]),
    ("auth", "right-passcode", &[1, 1, 1]),
    ("auth-nopasscode", "issued", &[1, 1]),
    ("revoke-credentials", "by-its-app", &[1, 1]),
    ("operator", "show_app", &[1]),
    ("mail-events", "bounce", &[1]),
];

/// The function that does nothing.
pub const FLOOR: &str = "floor";

/// Which peers take part; they take long to build or need other languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Peer {
    /// get-customer with every default: `aws_config::load_defaults`, default features, a multi-threaded runtime.
    Ordinary,
    /// get-customer on Node 20 with the AWS SDK for JavaScript, bundled by esbuild.
    Node,
    /// get-customer on Python with boto3.
    Python,
}

/// What is deployed of a contestant.
#[derive(Clone, Debug)]
pub enum Package {
    /// A bootstrap.
    Binary(PathBuf),
    /// A folder of sources on a runtime that Lambda provides.
    Folder(PathBuf),
}

/// One who takes part.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// What the table calls it.
    pub name: String,
    /// The function whose permissions and settings it has.
    pub acts_as: String,
    /// How it is started.
    pub command: Vec<String>,
    /// What is deployed.
    pub package: Package,
    /// The event it is sent.
    pub event: Value,
    /// Connections to backends that it opens and keeps.
    pub kept_connections: usize,
    /// Variables of its own.
    pub environment: BTreeMap<String, String>,
}

impl Contestant {
    fn binary(name: &str, acts_as: &str, binary: &Path, event: Value) -> Self {
        Self {
            name: name.to_owned(),
            acts_as: acts_as.to_owned(),
            command: vec![binary.display().to_string()],
            package: Package::Binary(binary.to_path_buf()),
            event,
            kept_connections: 1,
            environment: BTreeMap::new(),
        }
    }

    /// The same with another executable, by whose name it goes.
    pub fn variant(&self, binary: &Path) -> Self {
        let name = binary.file_name().unwrap_or(binary.as_os_str()).to_string_lossy().into_owned();
        let command = vec![binary.display().to_string()];
        Self { name, command, package: Package::Binary(binary.to_path_buf()), ..self.clone() }
    }

    /// Connections to backends that it has to open for so many requests: each mail has one of its own.
    pub fn connections(&self, requests: u32) -> usize {
        let mails = if self.acts_as == "send-passcode" { requests as usize } else { 0 };
        self.kept_connections + mails
    }

    /// Whether it is built in this workspace with the profile of what is deployed: only such a one is worth counting
    /// instructions of.
    pub fn is_compiled(&self) -> bool {
        matches!(self.package, Package::Binary(_))
    }

    /// Whether it has a route and so a bare function beside it.
    pub fn is_http(&self) -> bool {
        !["operator", "mail-events"].contains(&self.name.as_str())
    }

    /// Whether it is somebody else's way to write a function of ours.
    pub fn is_a_peer(&self) -> bool {
        ["Rust, ordinary", "Node 20, SDK v3", "Python 3.11, boto3"].contains(&self.name.as_str())
    }

    /// Whether a request leaves something behind on which the next one would fail.
    pub fn leaves_traces(&self) -> bool {
        ["create-customer", "redeem-ticket", "send-passcode", "auth", "revoke-credentials", "mail-events"]
            .contains(&self.acts_as.as_str())
    }
}

/// The executables of the rivals, built as the functions are.
#[derive(Clone, Debug)]
pub struct Rivals {
    /// Makes calls and nothing else.
    pub bare: PathBuf,
    /// The same with mails.
    pub bare_mail: PathBuf,
}

/// Builds our functions, and with them the `others` of this workspace, as they are deployed: by `cargo lambda`, all at once, so
/// that they share one set of features. `options` are more of its own.
///
/// # Errors
/// No `cargo lambda`, or a build that fails; it has then said why.
fn build(root: &Path, others: &[&str], options: &[&str]) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["lambda", "build", "--release", "--bins"]).args(options).current_dir(root);
    for package in FUNCTIONS.iter().map(|(function, ..)| function).chain(others) {
        command.args(["--package", package]);
    }
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo lambda build: {status}");
    Ok(())
}

/// Where `cargo lambda build` leaves an executable of this workspace.
fn built(root: &Path, name: &str) -> Result<PathBuf> {
    let binary = root.join("target/lambda").join(name).join("bootstrap");
    ensure!(binary.is_file(), "{} is missing: run `cargo lambda build --release`", binary.display());
    Ok(binary)
}

/// Our functions, built anew where something has changed.
///
/// # Errors
/// A build that fails.
pub fn functions(root: &Path) -> Result<Vec<Contestant>> {
    build(root, &[], &[])?;
    deployed(root)
}

/// Our functions as `cargo lambda build --release` has left them.
///
/// # Errors
/// One that has not been built.
pub fn deployed(root: &Path) -> Result<Vec<Contestant>> {
    FUNCTIONS.into_iter().map(|function| ours(root, function, &built(root, function.0)?)).collect()
}

/// One of [`FUNCTIONS`], with its event.
fn ours(root: &Path, (function, case, trips): (&str, &str, &[usize]), binary: &Path) -> Result<Contestant> {
    let file = root.join("events").join(function).join(format!("{case}.json"));
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let event = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    let mut contestant = Contestant::binary(function, function, binary, event);
    // One for each call of the widest trip.
    contestant.kept_connections = trips.iter().copied().max().unwrap_or_default();
    Ok(contestant)
}

/// Builds the floor, and the executables of the bare functions; our functions with them.
///
/// # Errors
/// A build that fails.
pub fn rivals(root: &Path) -> Result<(Contestant, Rivals)> {
    build(root, &["rivals"], &[])?;
    let floor = Contestant::binary(FLOOR, "get-customer", &built(root, FLOOR)?, json!({}));
    Ok((floor, Rivals { bare: built(root, "bare")?, bare_mail: built(root, "bare-mail")? }))
}

/// Builds one of our functions as it is deployed but for its symbols, which stay in; it is kept in `folder`.
///
/// # Errors
/// A build that fails; no such function.
pub fn with_symbols(root: &Path, function: &str, folder: &Path) -> Result<Contestant> {
    let functions = FUNCTIONS.into_iter().find(|(name, ..)| *name == function);
    // Only the last crate, which does all the linking, is compiled anew.
    let strip = format!("profile.release.package.{function}.strip=false");
    let kept = folder.join("symbols");
    build(root, &[], &["--config", &strip, "--lambda-dir", &kept.display().to_string()])?;
    let binary = kept.join(function).join("bootstrap");
    ours(root, functions.context("there is no such function")?, &binary)
}

/// Builds `peer`, or finds it installed; `event` is what get-customer is sent.
///
/// # Errors
/// A build that fails; a peer that has not been installed.
pub async fn peer(root: &Path, peer: Peer, event: Value) -> Result<Contestant> {
    let peers = root.join("bench/peers");
    let (name, folder, program): (_, _, Vec<String>) = match peer {
        Peer::Ordinary => {
            let manifest = peers.join("ordinary/Cargo.toml").display().to_string();
            let binaries = cargo_build(root, &["--release", "--manifest-path", &manifest]).await?;
            let binary = binaries.get("ordinary").context("cargo has built no ordinary")?;
            return Ok(Contestant::binary("Rust, ordinary", "get-customer", binary, event));
        }
        Peer::Node => ("Node 20, SDK v3", "node/dist", vec!["node".to_owned()]),
        Peer::Python => ("Python 3.11, boto3", "python/package", vec![interpreter()?]),
    };
    let folder = peers.join(folder);
    ensure!(folder.is_dir(), "{name} is not installed: run bench/peers/install");
    let entry = folder.join(if peer == Peer::Node { "bootstrap.js" } else { "bootstrap.py" });
    let command = program.into_iter().chain([entry.display().to_string()]).collect();
    Ok(Contestant {
        name: name.to_owned(),
        acts_as: "get-customer".to_owned(),
        command,
        package: Package::Folder(folder),
        event,
        kept_connections: 1,
        // The SDK warns of Node 20's age at each start.
        environment: BTreeMap::from([("NODE_NO_WARNINGS".to_owned(), "1".to_owned())]),
    })
}

/// Python itself: what stands on the path may be a script that looks for it.
fn interpreter() -> Result<String> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
