//! The folder that `--data` names: one system's at a time.

use std::{
    fs::{File, OpenOptions, TryLockError, create_dir_all},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, bail};

/// The folder is ours until this value is dropped, or the process ends however it may.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Takes `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// Another system has it, or it cannot be written.
    pub fn hold(folder: &Path) -> Result<Self> {
        create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // It is told for convenience; the lock holds without it.
                let _ = file.read_to_string(&mut holder);
                let folder = folder.display();
                bail!(
                    "another system uses the data in {folder} (process {}): end it, or name another folder",
                    holder.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _lock: file })
    }
}

#[cfg(test)]
mod tests {
    use super::DataFolder;

    #[test]
    fn a_folder_is_one_systems_at_a_time() {
        let folder = std::env::temp_dir().join(format!("lock-{}", std::process::id()));
        let first = DataFolder::hold(&folder).unwrap();
        let refused = DataFolder::hold(&folder).unwrap_err().to_string();
        let expected = format!(
            "another system uses the data in {} (process {}): end it, or name another folder",
            folder.display(),
            std::process::id()
        );
        assert_eq!(refused, expected);
        drop(first);
        DataFolder::hold(&folder).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
