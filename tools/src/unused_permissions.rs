//! `tools unused-permissions RECORD`: names every permission that `template.yaml` grants and no test has used, and fails if
//! there is one. The tests write the record where `PERMISSIONS_RECORD` says.

use std::{collections::BTreeMap, io::Write, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use local::{
    binaries, iam,
    template::{Secrets, Template},
};

/// Prints the permissions that no line of `record` names.
///
/// # Errors
/// A record or a template that cannot be read.
pub fn run(record: &Path) -> Result<ExitCode> {
    let used = std::fs::read_to_string(record).context("the record cannot be read: run the tests first")?;
    let text = std::fs::read_to_string(binaries::project_root()?.join("template.yaml"))?;
    let template = Template::load(&text, &BTreeMap::new(), &mut Secrets::default())?;
    let granted = iam::granted(&template.functions)?;
    let mut out = std::io::stdout().lock();
    let unused: Vec<_> = granted.iter().filter(|it| !used.lines().any(|line| line == it.to_string())).collect();
    for permission in &unused {
        writeln!(out, "granted and never used: {permission}")?;
    }
    writeln!(out, "{} permissions granted, {} unused", granted.len(), unused.len())?;
    Ok(if unused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
