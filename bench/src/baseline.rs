//! The guard: what the functions needed when somebody last looked, and whether they need more now.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::callgrind::Instructions;

/// How much more is too much, as a part of the baseline.
const TOLERANCE: f64 = 0.10;

/// Features by which ring and the standard library choose their code.
const FEATURES: [&str; 10] = ["adx", "aes", "avx", "avx2", "avx512f", "bmi2", "pclmulqdq", "sha_ni", "ssse3", "vaes"];

/// What one function needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Instructions of init and the first request.
    pub cold_instructions: u64,
    /// Instructions of a warm request.
    pub warm_instructions: u64,
    /// Bytes of the executable.
    pub size: u64,
    /// The same, zipped.
    pub zipped: u64,
}

impl Needs {
    /// From what was counted and weighed.
    pub const fn new(instructions: Instructions, (size, zipped): (u64, u64)) -> Self {
        Self { cold_instructions: instructions.cold, warm_instructions: instructions.warm, size, zipped }
    }

    fn parts(&self) -> [(&'static str, u64); 4] {
        [
            ("cold instructions", self.cold_instructions),
            ("warm instructions", self.warm_instructions),
            ("size", self.size),
            ("zipped size", self.zipped),
        ]
    }
}

/// The needs of every function on one kind of processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Those of [`FEATURES`] that the processor has.
    pub processor: BTreeSet<String>,
    /// By function.
    pub functions: BTreeMap<String, Needs>,
}

impl Baseline {
    /// These needs on this machine.
    pub fn of_this_machine(functions: BTreeMap<String, Needs>) -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let flags = cpu.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
        let has = |feature: &&str| flags.split_whitespace().any(|flag| flag == *feature);
        Self { processor: FEATURES.iter().filter(|feature| has(feature)).map(ToString::to_string).collect(), functions }
    }

    /// Reads what was accepted.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
    }

    /// Accepts this from now on.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        Ok(fs::write(file, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// A line for every part that has changed by more than a hundredth, and whether any has grown too much.
    pub fn compare(&self, now: &Self) -> (Vec<String>, bool) {
        let (mut lines, mut too_much) = (Vec::new(), false);
        for (function, needs) in &now.functions {
            let Some(before) = self.functions.get(function) else {
                lines.push(format!("{function} has no baseline"));
                too_much = true;
                continue;
            };
            for ((part, now), (_, before)) in needs.parts().into_iter().zip(before.parts()) {
                let change = now as f64 / before as f64 - 1.0;
                if change.abs() > 0.01 {
                    lines.push(format!("{function}: {part} {before} -> {now} ({:+.1}%)", change * 100.0));
                }
                too_much |= now as f64 > before as f64 * (1.0 + TOLERANCE);
            }
        }
        (lines, too_much)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Baseline, Needs};

    fn baseline(warm_instructions: u64) -> Baseline {
        let needs = Needs { cold_instructions: 100, warm_instructions, size: 100, zipped: 100 };
        Baseline { processor: ["aes".to_owned()].into(), functions: BTreeMap::from([("auth".to_owned(), needs)]) }
    }

    #[test]
    fn more_than_a_tenth_more_is_too_much() {
        assert_eq!(baseline(100).compare(&baseline(100)), (vec![], false));
        let (lines, too_much) = baseline(100).compare(&baseline(110));
        assert_eq!(lines, ["auth: warm instructions 100 -> 110 (+10.0%)"]);
        assert!(!too_much);
        assert!(baseline(100).compare(&baseline(111)).1);
        assert!(!baseline(100).compare(&baseline(50)).1, "less is news, not a fault");
    }

    #[test]
    fn a_function_without_a_baseline_is_a_fault() {
        let empty = Baseline { processor: [].into(), functions: BTreeMap::new() };
        assert!(empty.compare(&baseline(1)).1);
    }
}
