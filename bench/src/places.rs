//! Where the time of a cold start goes that instructions do not show: page faults and samples of the processor, by perf.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{arena::Arena, contestants::Contestant};

/// Starts that the samples are of.
const STARTS: usize = 40;

/// Where samples fall, in the order of the table.
const TIMES: [&str; 6] =
    ["the executable", "C library", "dynamic linker", "kernel: page faults", "kernel: starting it", "kernel: all else"];
/// Where page faults fall, in the order of the table.
const FAULTS: [&str; 4] = ["executable", "libraries", "heap", "stack"];

/// What was seen of one contestant.
#[derive(Debug)]
pub struct Places {
    name: String,
    /// Samples by [`TIMES`].
    times: BTreeMap<&'static str, usize>,
    /// Page faults by [`FAULTS`].
    faults: BTreeMap<&'static str, usize>,
}

/// Watches the contestant from its start to the end of the first request.
///
/// # Errors
/// No perf, or a system that does not let it watch.
pub async fn look(arena: &Arena, contestant: &Contestant, folder: &Path) -> Result<Places> {
    let mut places = Places { name: contestant.name.clone(), times: BTreeMap::new(), faults: BTreeMap::new() };
    let file = folder.join("perf.data");
    for _ in 0..STARTS {
        record(arena, contestant, &file, &["-e", "cpu-clock", "-F", "20000", "-g"]).await?;
        for stack in read(&file, "ip,sym,dso")?.split("\n\n").filter(|stack| !stack.trim().is_empty()) {
            // It is ended only once everything was measured.
            if !stack.contains("do_exit") && !stack.contains("exit_group") {
                *places.times.entry(time(stack)).or_default() += 1;
            }
        }
    }
    record(arena, contestant, &file, &["-e", "page-faults", "-c", "1", "-d"]).await?;
    for line in read(&file, "addr,dso")?.lines() {
        *places.faults.entry(fault(line)).or_default() += 1;
    }
    ensure!(!places.times.is_empty() && !places.faults.is_empty(), "perf has seen nothing");
    Ok(places)
}

async fn record(arena: &Arena, contestant: &Contestant, file: &Path, what: &[&str]) -> Result<()> {
    let file = file.display().to_string();
    let perf = [&["perf", "record", "--quiet", "-o", &file], what, &["--"]].concat();
    let mut process = arena.start(contestant, &perf.into_iter().map(str::to_owned).collect::<Vec<_>>()).await?;
    arena.ask(contestant, &mut process).await?;
    process.end().await
}

fn read(file: &Path, fields: &str) -> Result<String> {
    let output = Command::new("perf").args(["script", "--comm", "bootstrap", "-F", fields, "-i"]).arg(file).output();
    let output = output.context("perf cannot be started")?;
    ensure!(output.status.success(), "perf script: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a sample fell; `stack` has a line for each function, the innermost first.
fn time(stack: &str) -> &'static str {
    let innermost = stack.trim_start().lines().next().unwrap_or_default();
    let [executable, libc, linker, faults, start, kernel] = TIMES;
    if innermost.contains("kernel.kallsyms") {
        match stack {
            _ if stack.contains("exc_page_fault") => faults,
            _ if stack.contains("execve") => start,
            _ => kernel,
        }
    } else if innermost.contains("ld-linux") {
        linker
    } else if innermost.contains(".so") || innermost.contains("[vdso]") {
        libc
    } else {
        executable
    }
}

/// Where a page fault fell; `line` ends with the name of what is mapped there.
fn fault(line: &str) -> &'static str {
    let [executable, libraries, heap, stack] = FAULTS;
    match line {
        _ if line.contains("[stack]") => stack,
        _ if line.contains("[heap]") || line.contains("anon") => heap,
        _ if line.contains("bootstrap") => executable,
        _ => libraries,
    }
}

/// One column a contestant.
pub fn table(all: &[Places]) -> String {
    let mut table = String::new();
    let mut row = |title: &str, cells: Vec<String>| {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {title} | {} |", cells.join(" | "));
    };
    row("", all.iter().map(|it| it.name.clone()).collect());
    row("---", all.iter().map(|_| "--:".to_owned()).collect());
    for place in TIMES {
        let share = |it: &Places| {
            let sum: usize = it.times.values().sum();
            format!("{:.0}%", *it.times.get(place).unwrap_or(&0) as f64 / sum as f64 * 100.0)
        };
        row(place, all.iter().map(share).collect());
    }
    for place in FAULTS {
        let count = |it: &Places| it.faults.get(place).unwrap_or(&0).to_string();
        row(&format!("page faults: {place}"), all.iter().map(count).collect());
    }
    row("page faults", all.iter().map(|it| it.faults.values().sum::<usize>().to_string()).collect());
    table
}

#[cfg(test)]
mod tests {
    use super::{fault, time};

    #[test]
    fn a_fault_in_the_executable_is_the_kernels_time() {
        let stack =
            "  ffffffff81a do_fault ([kernel.kallsyms])\n  ffffffff81b asm_exc_page_fault ([kernel.kallsyms])\n";
        assert_eq!(time(&format!("{stack}  55d0 main (/x/bootstrap)")), "kernel: page faults");
        assert_eq!(time("  55d0 main (/x/bootstrap)\n"), "the executable");
        assert_eq!(time("  7f malloc (/usr/lib/libc.so.6)\n  55d0 main (/x/bootstrap)"), "C library");
        assert_eq!(time("  7f do_lookup_x (/usr/lib/ld-linux-x86-64.so.2)\n"), "dynamic linker");
    }

    #[test]
    fn a_fault_is_where_its_address_is() {
        assert_eq!(fault("  7ffd63638dd9 ([stack])"), "stack");
        assert_eq!(fault("  55c0643c5e98 (/x/lambda/get-customer/bootstrap)"), "executable");
        assert_eq!(fault("  55c0643c5e98 (//anon)"), "heap");
        assert_eq!(fault("  7f25c135a110 (/usr/lib/libc.so.6)"), "libraries");
    }
}
