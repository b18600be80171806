//! What was measured, as a table in `docs/performance.md`.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result};

use crate::{beside, callgrind::Instructions, chart, load::Step, measure::Figures};

/// One line of the table.
pub struct Line {
    /// Times, memory and sizes.
    pub figures: Figures,
    /// Instructions, where they were counted.
    pub instructions: Option<Instructions>,
}

/// The table of all contestants.
pub fn table(lines: &[Line]) -> String {
    let mut table = "| | init ms | first ms | cold × floor | warm µs | p50 / p90 / p99 ms | first at 128 MB ms | cold faults | peak MB | size MB | zipped MB | cold Minstr | warm kinstr |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n".to_owned();
    let floor = lines.first().map_or(f64::NAN, |line| line.figures.cold_cpu());
    for Line { figures, instructions } in lines {
        let [p50, p90, p99] = figures.warm_wall.map(|seconds| seconds * 1e3);
        let throttled =
            figures.first_wall_throttled.map_or("–".to_owned(), |seconds| format!("{:.1}", seconds * 1e3));
        let (cold, warm) = instructions.map_or(("–".to_owned(), "–".to_owned()), |it| {
            (format!("{:.2}", it.cold as f64 / 1e6), format!("{:.0}", it.warm as f64 / 1e3))
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {:.1} | {:.2} | {:.1} | {:.0} | {p50:.1} / {p90:.1} / {p99:.1} | {throttled} | {:.0} | {:.1} | {:.2} | {:.2} | {cold} | {warm} |",
            figures.name,
            figures.init_cpu * 1e3,
            figures.first_cpu * 1e3,
            figures.cold_cpu() / floor,
            figures.warm_cpu * 1e6,
            figures.cold_faults,
            mega(figures.peak_rss),
            mega(figures.size),
            mega(figures.zipped),
        );
    }
    table
}

/// The CPU time of every contestant's cold start.
pub fn cold_chart(lines: &[Line]) -> String {
    let bar = |line: &Line| {
        let cold = line.figures.cold_cpu() * 1e3;
        (line.figures.name.clone(), cold, format!("{cold:.1} ms"))
    };
    let bars: Vec<_> = lines.iter().map(bar).collect();
    chart::bars("CPU time of a cold start (init and first request), logarithmic", &bars)
}

/// The steps of a rising load.
pub fn load_table(steps: &[Step]) -> String {
    let mut table = "| callers at once | requests a second | p50 ms | p99 ms |\n|--:|--:|--:|--:|\n".to_owned();
    for Step { callers, rate, latency: [p50, p99] } in steps {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {callers} | {rate:.0} | {:.1} | {:.1} |", p50 * 1e3, p99 * 1e3);
    }
    table
}

/// The engines that serve the functions on this machine.
pub fn beside_table(engines: &[beside::Figures]) -> String {
    let mut table =
        "| | first answer s | requests a second | p50 ms | p99 ms | memory MB |\n|---|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for beside::Figures { name, first, rate, latency: [p50, p99], memory } in engines {
        let (p50, p99) = (p50 * 1e3, p99 * 1e3);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {first:.1} | {rate:.0} | {p50:.1} | {p99:.1} | {:.0} |", mega(*memory));
    }
    table
}

/// Requests that each engine answers in a second.
pub fn beside_chart(engines: &[beside::Figures]) -> String {
    let bars: Vec<_> = engines.iter().map(|it| (it.name.clone(), it.rate, format!("{:.0}/s", it.rate))).collect();
    chart::bars("Requests a second of get-customer, logarithmic", &bars)
}

/// Bytes as MB of a million.
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The machine and the day, for figures that are worth nothing without them.
pub fn circumstances() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    let model = model.trim_start_matches(['\t', ' ', ':']);
    let kernel = read("/proc/sys/kernel/osrelease");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let today = std::process::Command::new("date").args(["-u", "+%F"]).output();
    let today = today.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!("{today}, {processors} × {model}, Linux {}", kernel.trim())
}

/// Writes `text` between the markers `<!-- name -->` and `<!-- /name -->` of `file`.
///
/// # Errors
/// A file without the markers, or one that cannot be written.
pub fn insert(file: &Path, name: &str, text: &str) -> Result<()> {
    let whole = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = whole.split_once(&begin).with_context(|| format!("{begin} is missing"))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("{end} is missing"))?;
    std::fs::write(file, format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_between_the_markers_changes() {
        let file = std::env::temp_dir().join(format!("bench-report-{}", std::process::id()));
        std::fs::write(&file, "a <!-- x -->\nold\n<!-- /x --> b").unwrap();
        super::insert(&file, "x", "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a <!-- x -->\nnew\n<!-- /x --> b");
        assert!(super::insert(&file, "y", "new").is_err());
        std::fs::remove_file(&file).unwrap();
    }
}
