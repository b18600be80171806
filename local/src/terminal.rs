//! What the terminal says while the system runs: an aligned line for each request, and in plain words what went wrong;
//! or the functions' own lines, as they write them.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use crate::requests::{Line, Row};

/// Columns of a line at most, on a terminal.
const COLUMNS: usize = 80;
/// Columns before what is said under a request's line.
const ASIDE: usize = 10;
/// Columns of a route.
const ROUTE: usize = 34;

/// How it speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line a request.
    #[default]
    Lines,
    /// What the functions write, JSON as a rule.
    Json,
}

/// The terminal: standard error, or nothing.
#[derive(Clone, Default)]
pub struct Terminal(Option<Arc<Speaker>>);

struct Speaker {
    format: Format,
    colour: bool,
    /// Whether it is as wide as a terminal: where a program reads, what belongs together stands in one line.
    narrow: bool,
    /// What is to be said once the system is ready.
    held: Mutex<Option<Vec<String>>>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Terminal").field(&self.0.as_ref().map(|speaker| speaker.format)).finish()
    }
}

impl Terminal {
    /// It says nothing.
    #[must_use]
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Standard error, in colour where a person reads it and `NO_COLOR` is not set. It holds everything back until
    /// [`Terminal::release`].
    #[must_use]
    pub fn standard_error(format: Format) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let narrow = std::io::stderr().is_terminal();
        let colour = narrow && !set("NO_COLOR") && !dumb;
        Self(Some(Arc::new(Speaker { format, colour, narrow, held: Mutex::new(Some(Vec::new())) })))
    }

    /// Says what was held back, and everything at once from now on.
    pub fn release(&self) {
        let Some(speaker) = &self.0 else { return };
        let held = speaker.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.into_iter().flatten().for_each(|line| write(&line));
    }

    /// A request is answered, and `lines` are what its function wrote meanwhile.
    pub(crate) fn request(&self, row: &Row, lines: &[Line]) {
        let Some(speaker) = self.speaks(Format::Lines) else { return };
        let function = row.function.as_deref().unwrap_or_default();
        let troubles = lines.iter().filter_map(|line| trouble(&line.text.text, row.note.is_some()));
        let asides = row.note.clone().into_iter().chain(troubles.map(|words| format!("{function}: {words}")));
        let asides = asides.map(|words| speaker.aside(&words));
        let lines: Vec<String> = std::iter::once(line(row, speaker.colour)).chain(asides).collect();
        speaker.say(&lines.join("\n"));
    }

    /// A function has written a line, for no request or for one that is answered, and `noted` where that was told already.
    pub(crate) fn trouble(&self, function: &str, text: &str, noted: bool) {
        let Some(speaker) = self.speaks(Format::Lines) else { return };
        if let Some(trouble) = trouble(text, noted) {
            speaker.say(&speaker.aside(&format!("{function}: {trouble}")));
        }
    }

    /// A function has written a line, or the runtime of a function.
    pub(crate) fn as_written(&self, function: &str, text: &str) {
        if let Some(speaker) = self.speaks(Format::Json) {
            speaker.say(&format!("[{function}] {text}"));
        }
    }

    fn speaks(&self, format: Format) -> Option<&Speaker> {
        self.0.as_deref().filter(|speaker| speaker.format == format)
    }
}

impl Speaker {
    /// A line under a request's, or several where they are narrow.
    fn aside(&self, words: &str) -> String {
        aside(words, self.colour, if self.narrow { COLUMNS - ASIDE } else { usize::MAX })
    }

    fn say(&self, line: &str) {
        match &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.push(line.to_owned()),
            None => write(line),
        }
    }
}

fn write(line: &str) {
    // Nobody may be reading standard error any more; the system goes on all the same.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// `11:20:03  201  POST /customer                         34 ms  cold`
fn line(row: &Row, colour: bool) -> String {
    let time = row.at.get(11..19).unwrap_or_default();
    let status = row.status.unwrap_or_default();
    let shown = if status == 0 { "cut".to_owned() } else { status.to_string() };
    let route = row.route.replace("{identifier}", "{id}");
    let route = row.path.iter().fold(route, |route, path| route.replace("$default", path));
    let route = fitted(&route, ROUTE);
    let ms = format!("{:.0} ms", row.ms.unwrap_or_default());
    let cold = if row.cold == Some(true) { "cold" } else { "" };
    let code = row.code.as_deref().unwrap_or_default();
    let plain = format!("{time}  {shown}  {route:<ROUTE$} {ms:>8}  ");
    let rest = COLUMNS - plain.chars().count();
    let note = if code.is_empty() || cold.is_empty() { format!("{code}{cold}") } else { format!("{code} {cold}") };
    let note = if note.len() > rest { fitted(code, rest) } else { note };
    if !colour {
        return format!("{plain}{note}").trim_end().to_owned();
    }
    let paint = match status {
        // Lambda says 200 of a function's own error, too.
        200..400 if code.is_empty() => "32",
        200..500 => "33",
        _ => "31",
    };
    format!("\x1b[2m{time}\x1b[0m  \x1b[{paint}m{shown}\x1b[0m  {route:<ROUTE$} {ms:>8}  \x1b[2m{note}\x1b[0m")
}

/// `words` in lines of so many columns, none of them cut.
fn aside(words: &str, colour: bool, columns: usize) -> String {
    // A function may write anything, and a terminal obeys.
    let words: String = words.chars().filter(|char| !char.is_control()).collect();
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    let painted = |line: &String| if colour { format!("\x1b[31m{line}\x1b[0m") } else { line.clone() };
    let lines: Vec<String> = lines.iter().map(|line| format!("{:ASIDE$}{}", "", painted(line))).collect();
    lines.join("\n")
}

fn fitted(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// What a line of a function says, if it is a warning or an error, or no line of its log at all, such as a panic's. What
/// the function has refused is no news where its answer is `told`.
fn trouble(text: &str, told: bool) -> Option<String> {
    let Ok(Value::Object(line)) = serde_json::from_str(text) else {
        // Lambda's own line of a function that ended or ran out of time.
        let is_told = told && text.starts_with("RequestId: ");
        return Some(text.to_owned()).filter(|text| !text.trim().is_empty() && !is_told);
    };
    match line.get("level").and_then(Value::as_str) {
        Some("ERROR") => {}
        Some("WARN") if !told => {}
        _ => return None,
    }
    let part = |name: &str| line.get(name).and_then(Value::as_str);
    let mut parts: Vec<&str> = Vec::new();
    for words in ["message", "step", "error", "cause"].into_iter().filter_map(part) {
        // A chain of causes says some of them twice.
        for words in words.split(": ").map(|words| words.trim_end_matches('.')) {
            if !parts.contains(&words) {
                parts.push(words);
            }
        }
    }
    Some(parts.join(": ")).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, aside, line, trouble};
    use crate::requests::{Direction, Row};

    fn row(route: &str, status: u16, code: &str, cold: bool) -> Row {
        Row {
            id: "id".to_owned(),
            number: 1,
            at: "2026-11-24T11:20:03.123Z".to_owned(),
            direction: Direction::Http,
            route: route.to_owned(),
            path: None,
            function: None,
            status: Some(status),
            code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            ms: Some(33.7),
            cold: Some(cold),
            calls: 0,
            fault: false,
            note: None,
        }
    }

    #[test]
    fn lines_are_aligned_and_fit() {
        let first = line(&row("POST /customer", 201, "", true), false);
        assert_eq!(first, "11:20:03  201  POST /customer                        34 ms  cold");
        let longest = row("GET /customer/{identifier}/auth/nopasscode", 422, "idempotency_key_reused", true);
        let longest = line(&longest, false);
        assert_eq!(longest.find("34 ms"), first.find("34 ms"));
        assert!(longest.contains("GET /customer/{id}/auth/nopasscode "), "{longest}");
        assert!(longest.chars().count() <= COLUMNS, "{longest}");
        assert!(line(&row("GET /x", 404, "user_not_found", false), true).contains("\x1b[33m404\x1b[0m"));
        assert!(line(&row("operator show_app", 200, "NotFound", false), true).contains("\x1b[33m200\x1b[0m"));
        assert!(line(&row("GET /x", 0, "", false), false).contains("  cut  "));
        let nowhere = Row { path: Some("/nowhere".to_owned()), ..row("GET $default", 404, "route_not_found", false) };
        assert!(line(&nowhere, false).contains("  404  GET /nowhere  "), "{}", line(&nowhere, false));
    }

    #[test]
    fn only_trouble_is_told_of_a_functions_lines() {
        assert_eq!(trouble(r#"{"level":"INFO","message":"request"}"#, false), None);
        let warning = r#"{"level":"WARN","message":"refused"}"#;
        assert_eq!([trouble(warning, false).as_deref(), trouble(warning, true).as_deref()], [Some("refused"), None]);
        let error = r#"{"level":"ERROR","message":"the mail failed","cause":"refused: timeout: refused."}"#;
        assert_eq!(trouble(error, true).unwrap(), "the mail failed: refused: timeout");
        assert_eq!(trouble("thread 'main' panicked", true).unwrap(), "thread 'main' panicked");
        let ended = "RequestId: 1 Error: Task timed out after 10.00 seconds";
        assert_eq!([trouble(ended, true), trouble(ended, false)], [None, Some(ended.to_owned())]);
        assert_eq!(aside("a\x1b[2Jb", false, 70), "          a[2Jb");
    }

    #[test]
    fn what_went_wrong_is_told_in_whole_words() {
        let words = "send-passcode: the mail failed";
        assert_eq!(aside(words, false, 23), "          send-passcode: the mail\n          failed");
        assert_eq!(aside(words, false, usize::MAX), format!("          {words}"));
        assert_eq!(aside("a bc", true, 3), "          \x1b[31ma\x1b[0m\n          \x1b[31mbc\x1b[0m");
    }
}
