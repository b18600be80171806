//! Files that appear whole or not at all.

use anyhow::{Context, Result};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Replaces `path` by `contents` in one step, readable by its owner alone: it may hold secrets.
///
/// # Errors
/// Any failure of the file system, naming the file.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let write = || {
        // A file left behind by an earlier try may have other permissions.
        let _ = fs::remove_file(&unfinished);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
