//! The CPU share that Lambda gives to a function of 128 MB, by the kernel's CPU bandwidth control.

use std::{fs, io, path::PathBuf};

/// Lambda gives one whole CPU at 1,769 MB.
const SHARE: f64 = 128.0 / 1769.0;
/// Microseconds after which the share is given anew, as on Lambda.
const PERIOD: u32 = 20_000;

/// A control group with that share.
pub struct Share {
    folder: PathBuf,
}

impl Share {
    /// `None` where the system does not let us make control groups.
    pub fn of_128_mb() -> Option<Self> {
        let name = format!("bench-{}", std::process::id());
        let quota = (f64::from(PERIOD) * SHARE).round();
        let (v1, v2) = (PathBuf::from("/sys/fs/cgroup/cpu"), PathBuf::from("/sys/fs/cgroup"));
        let make = |parent: PathBuf, settings: &[(&str, String)]| -> io::Result<Self> {
            let made = Self { folder: parent.join(&name) };
            fs::create_dir(&made.folder)?;
            settings.iter().try_for_each(|(file, value)| fs::write(made.folder.join(file), value))?;
            Ok(made)
        };
        if v1.is_dir() {
            make(v1, &[("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())]).ok()
        } else {
            make(v2, &[("cpu.max", format!("{quota} {PERIOD}"))]).ok()
        }
    }

    /// Gives a process this share.
    ///
    /// # Errors
    /// The process has ended.
    pub fn hold(&self, process: i32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // It stays behind, empty, if a process has not ended yet.
        let _ = fs::remove_dir(&self.folder);
    }
}
