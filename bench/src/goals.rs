//! The goals, and what came of them.

use std::fmt::Write as _;

use crate::report::Line;

/// A goal for every HTTP function: what is compared, how, and the most that it may be.
struct Goal {
    name: &'static str,
    most: f64,
    /// Of a function, beside its bare one and among all lines; `None` where something needed did not take part.
    figure: fn(&Line, &Lines) -> Option<f64>,
}

struct Lines<'a>(&'a [Line]);

impl<'a> Lines<'a> {
    fn named(&self, name: &str) -> Option<&'a Line> {
        self.0.iter().find(|line| line.figures.name == name)
    }
}

fn cold_of(line: &Line, others: &Lines, other: &str) -> Option<f64> {
    Some(line.figures.cold_cpu() / others.named(other)?.figures.cold_cpu())
}

fn warm_of(line: &Line, others: &Lines, other: &str) -> Option<f64> {
    Some(line.figures.warm_cpu / others.named(other)?.figures.warm_cpu)
}

fn warm_of_bare(line: &Line, others: &Lines) -> Option<f64> {
    let bare = others.named(&format!("bare {}", line.figures.name))?;
    Some(line.instructions?.warm as f64 / bare.instructions?.warm as f64)
}

const GOALS: [Goal; 12] = [
    Goal { name: "cold CPU against the floor", most: 2.0, figure: |it, all| cold_of(it, all, "floor") },
    Goal {
        name: "cold CPU against the ordinary build",
        most: 1.0 / 12.0,
        figure: |it, all| cold_of(it, all, "Rust, ordinary"),
    },
    Goal { name: "cold CPU against Node", most: 1.0 / 40.0, figure: |it, all| cold_of(it, all, "Node 20, SDK v3") },
    Goal {
        name: "cold CPU against Python",
        most: 1.0 / 60.0,
        figure: |it, all| cold_of(it, all, "Python 3.11, boto3"),
    },
    Goal { name: "cold instructions, M", most: 5.0, figure: |it, _| Some(it.instructions?.cold as f64 / 1e6) },
    Goal {
        name: "first request at 128 MB, ms",
        most: 5.0,
        figure: |it, _| Some(it.figures.first_wall_throttled? * 1e3),
    },
    Goal { name: "warm instructions against the bare function", most: 1.1, figure: warm_of_bare },
    Goal { name: "warm CPU against Node", most: 0.1, figure: |it, all| warm_of(it, all, "Node 20, SDK v3") },
    Goal { name: "warm CPU against Python", most: 0.125, figure: |it, all| warm_of(it, all, "Python 3.11, boto3") },
    Goal { name: "peak memory, MB", most: 8.0, figure: |it, _| Some(it.figures.peak_rss as f64 / 1e6) },
    Goal { name: "executable, MB", most: 6.0, figure: |it, _| Some(it.figures.size as f64 / 1e6) },
    Goal { name: "zipped, MB", most: 2.8, figure: |it, _| Some(it.figures.zipped as f64 / 1e6) },
];

/// Every goal with the figures of get-customer, of the function that is worst at it, and of send-passcode, which may take
/// 1.3 times as much.
pub fn table(lines: &[Line]) -> String {
    let mut table = "| | goal | get-customer | the worst | send-passcode (1.3 ×) |\n|---|--:|--:|--:|--:|\n".to_owned();
    let all = Lines(lines);
    let is_http = |name: &str| lines.iter().any(|it| it.figures.name == format!("bare {name}"));
    for Goal { name, most, figure } in &GOALS {
        let cell = |value: Option<f64>, most: f64| match value {
            Some(value) if value <= most => format!("{} ✓", show(value)),
            Some(value) => format!("**{}** ✗", show(value)),
            None => "–".to_owned(),
        };
        let of = |name: &str| all.named(name).and_then(|line| figure(line, &all));
        let others = lines.iter().filter(|it| is_http(&it.figures.name) && it.figures.name != "send-passcode");
        let figures = others.filter_map(|it| Some((&it.figures.name, figure(it, &all)?)));
        let worst = figures.max_by(|one, other| one.1.total_cmp(&other.1));
        let worst = worst.map_or("–".to_owned(), |(name, value)| format!("{name} {}", cell(Some(value), *most)));
        let (get, send) = (cell(of("get-customer"), *most), cell(of("send-passcode"), most * 1.3));
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {} | {get} | {worst} | {send} |", show(*most));
    }
    table
}

/// A ratio below a half as `1/n`.
fn show(value: f64) -> String {
    if value < 0.5 { format!("1/{:.0}", 1.0 / value) } else { format!("{value:.2}") }
}
