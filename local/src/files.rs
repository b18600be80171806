//! Files that appear whole or not at all.

use std::{io::Write, path::Path};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// Replaces `path` by `contents` in one step, readable by its owner alone: it may hold secrets.
///
/// # Errors
/// Any failure of the file system, naming the file.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || {
        // A temporary file is its owner's alone from the start. Only one in the same folder can be renamed in one step.
        let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new("")))?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|failed| failed.error)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
