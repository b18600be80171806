//! Where a function's instructions go: callgrind's profile, added up by crate.

use std::{collections::HashMap, fmt::Write as _};

use anyhow::{Context, Result};

/// Lines of the table.
const SHOWN: usize = 18;

/// Instructions of a cold start and of a warm request, by crate; `profiles` are of a run through one request and of one
/// through `more` requests more.
///
/// # Errors
/// Text that callgrind has not written.
pub fn table((profiles, more): &([String; 2], u64)) -> Result<String> {
    let [cold, all] = [by_crate(&profiles[0])?, by_crate(&profiles[1])?];
    let cold_of = |name: &str| cold.iter().find(|(it, _)| it == name).map_or(0, |(_, cost)| *cost);
    let mut rows: Vec<_> =
        all.iter().map(|(name, cost)| (name, cold_of(name), cost.saturating_sub(cold_of(name)) / more)).collect();
    // By the warm request, which is what most requests are; a cold start spends most on the same.
    rows.sort_by_key(|(_, cold, warm)| std::cmp::Reverse(warm * 5 + cold));
    let (all_cold, all_warm) = rows.iter().fold((0, 0), |(cold, warm), row| (cold + row.1, warm + row.2));
    let mut table = "| | cold kinstr | | warm kinstr | |\n|---|--:|--:|--:|--:|\n".to_owned();
    let mut add = |name: &str, cold: u64, warm: u64| {
        let share = |part: u64, whole: u64| part as f64 / whole as f64 * 100.0;
        let (of_cold, of_warm) = (share(cold, all_cold), share(warm, all_warm));
        let (cold, warm) = (cold as f64 / 1e3, warm as f64 / 1e3);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {cold:.0} | {of_cold:.0}% | {warm:.1} | {of_warm:.0}% |");
    };
    rows.iter().take(SHOWN).for_each(|(name, cold, warm)| add(name, *cold, *warm));
    let rest = rows.iter().skip(SHOWN).fold((0, 0), |(cold, warm), row| (cold + row.1, warm + row.2));
    add("everything else", rest.0, rest.1);
    add("**all**", all_cold, all_warm);
    Ok(table)
}

/// Instructions by crate, the most first. `profile` is what callgrind has written of an executable with its symbols.
///
/// # Errors
/// Text that callgrind has not written.
fn by_crate(profile: &str) -> Result<Vec<(String, u64)>> {
    let (mut names, mut costs) = (HashMap::new(), HashMap::<String, u64>::new());
    let (mut current, mut of_a_call) = (String::new(), false);
    for line in profile.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            // `(3) name` the first time, `(3)` later.
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(id.to_owned(), crate_of(name));
            }
            current = names.get(id).cloned().unwrap_or_default();
        } else if let Some(called) = line.strip_prefix("cfn=") {
            if let Some((id, name)) = called.split_once(' ') {
                names.insert(id.to_owned(), crate_of(name));
            }
        } else if line.starts_with("calls=") {
            // The next line is the cost of what was called, which has lines of its own.
            of_a_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split_whitespace().nth(1).context("a line without a cost")?.parse::<u64>()?;
            if !std::mem::take(&mut of_a_call) {
                *costs.entry(current.clone()).or_default() += cost;
            }
        }
    }
    let mut costs: Vec<_> = costs.into_iter().collect();
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    Ok(costs)
}

/// The crate whose code a function is, as far as its name tells: of generic code the first crate that it is made for.
fn crate_of(function: &str) -> String {
    const STANDARD: [&str; 3] = ["core", "alloc", "std"];
    let words = function.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != ':');
    let crates = words.filter_map(|word| word.split_once("::")).map(|(name, _)| name).filter(|name| !name.is_empty());
    let mut crates = crates.peekable();
    let is_rust = crates.peek().is_some();
    match crates.find(|name| !STANDARD.contains(name)) {
        Some(name) => name.to_owned(),
        None if is_rust => "std".to_owned(),
        None if function.starts_with("ring_core") => "ring".to_owned(),
        None if function.contains("malloc") || function.contains("free") || function == "realloc" => {
            "allocator".to_owned()
        }
        None if function.starts_with("mem") || function.starts_with("__mem") => "memcpy and the like".to_owned(),
        None if function.contains("dl_") || function.contains("do_lookup") => "dynamic linker".to_owned(),
        None => "libc, assembler, without a name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{by_crate, crate_of};

    #[test]
    fn a_crates_own_costs_are_added_up_without_those_of_what_it_calls() {
        let profile = "events: Ir\nfn=(1) hyper::poll\n10 5\n+2 6\ncfn=(2) ring_core_x\ncalls=1 0\n+1 100\nfn=(2)\n1 100\nfn=(1)\n* 1\n";
        assert_eq!(by_crate(profile).unwrap(), [("ring".to_owned(), 100), ("hyper".to_owned(), 12)]);
    }

    #[test]
    fn the_crate_is_read_out_of_the_name() {
        assert_eq!(crate_of("<alloc::vec::Vec<rustls::Certificate> as core::clone::Clone>::clone"), "rustls");
        assert_eq!(crate_of("core::fmt::write"), "std");
        assert_eq!(crate_of("_int_malloc"), "allocator");
    }
}
