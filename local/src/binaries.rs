//! Building the functions.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The project's folder: the one above this crate's when cargo runs us, else the nearest with a `template.yaml`.
///
/// # Errors
/// No such folder.
pub fn project_root() -> Result<PathBuf> {
    let here = env::current_dir().context("the current folder cannot be read")?;
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let starts = [crate_folder, Some(here)];
    let mut candidates = starts.iter().flatten().flat_map(|start| start.ancestors());
    candidates
        .find(|folder| folder.join("template.yaml").is_file())
        .map(Path::to_path_buf)
        .context("there is no template.yaml here or above: run this inside the project")
}

/// Builds the functions as cargo sees fit, showing its progress, and returns each executable by its name.
///
/// # Errors
/// No cargo, or a build that fails; cargo itself has then said why.
pub async fn build(root: &Path, release: bool) -> Result<BTreeMap<String, PathBuf>> {
    // In debug everything is built with one set of features, the one that `cargo test --workspace` uses too, so that
    // nothing is compiled twice. A release build is of what is deployed and nothing else.
    cargo_build(root, if release { &["--release"] } else { &["--workspace", "--bins"] }).await
}

/// Has cargo build `what`, its own arguments, in the folder `root`, showing its progress, and returns each executable by
/// its name.
///
/// # Errors
/// As [`build`].
pub async fn cargo_build(root: &Path, what: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    // What cargo has told us about our own crate would look to build scripts like a change of theirs, and what they
    // are part of would be compiled anew.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_about_our_crate)) {
        command.env_remove(name);
    }
    let mut child = command
        .arg("build")
        .args(what)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}, which builds the functions", cargo.display()))?;
    // Cargo starts compilers, and they are to end with it if we are told to end.
    let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).map(KillOnDrop);
    let mut executables = BTreeMap::new();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.context("cargo's messages cannot be read")? {
            executables.extend(executable(&line));
        }
    }
    let status = child.wait().await.context("cargo's end cannot be awaited")?;
    // From here on its number may be another's.
    std::mem::forget(group);
    if !status.success() {
        bail!("the functions could not be built (cargo build: {status})");
    }
    Ok(executables)
}

/// A group of processes that ends with this value.
struct KillOnDrop(Pid);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // They may have ended by themselves.
        let _ = kill_process_group(self.0, Signal::TERM);
    }
}

/// Whether cargo sets the variable for the one crate that it runs.
fn is_about_our_crate(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// The name and the path of the binary that one of cargo's messages is about.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = message["executable"].as_str()?;
    let target = &message["target"];
    let is_binary = target["kind"].as_array()?.iter().any(|kind| kind == "bin");
    is_binary.then_some((target["name"].as_str()?.to_owned(), PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn only_binaries_are_taken_from_cargos_messages() {
        let binary = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"auth"},"executable":"/t/auth"}"#;
        assert_eq!(executable(binary), Some(("auth".to_owned(), "/t/auth".into())));
        let library = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"auth"},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("nonsense"), None);
    }
}
