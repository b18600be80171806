//! What the functions write to their standard streams.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::{
    assignments::Assignments,
    requests::{Requests, Telling},
    terminal::Terminal,
};

/// Lines kept at most, the oldest going first.
const KEPT: usize = 100_000;

/// One line of one function.
#[derive(Clone, Debug)]
pub struct Line {
    /// The function's name.
    pub function: String,
    /// What it wrote, without the end of the line.
    pub text: String,
}

/// Everything that the functions have written.
#[derive(Clone)]
pub struct Logs {
    lines: Arc<Mutex<VecDeque<Line>>>,
    terminal: Terminal,
    requests: Requests,
    assignments: Assignments,
}

impl Logs {
    /// No line yet. Each will be handed to `terminal` too, and put down to one of `requests` by its own `request_id`, or
    /// else by what `assignments` say that its process works on.
    #[must_use]
    pub fn new(terminal: Terminal, requests: Requests, assignments: Assignments) -> Self {
        Self { lines: Arc::default(), terminal, requests, assignments }
    }

    /// All lines still kept, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Takes in what is to be said of a process of `function`, in the words in which Lambda logs it.
    pub(crate) fn report(&self, function: &str, process: &str, text: String) {
        self.terminal.as_written(function, &text);
        self.keep(function, process, text);
    }

    /// Takes in one line of a process of `function`.
    fn add(&self, function: &str, process: &str, text: String) {
        self.terminal.as_written(function, &text);
        let trouble = text.clone();
        if let Telling::Now { noted } = self.keep(function, process, text) {
            self.terminal.trouble(function, &trouble, noted);
        }
    }

    /// Keeps a line.
    fn keep(&self, function: &str, process: &str, text: String) -> Telling {
        let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
        let named = parsed["request_id"].as_str().map(str::to_owned);
        let request = named.or_else(|| self.assignments.last(process));
        let telling = request.map_or(Telling::Now { noted: false }, |id| self.requests.wrote(&id, &text));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(Line { function: function.to_owned(), text });
        telling
    }

    /// Takes in `stream`, of this process of `function`, until it ends.
    pub(crate) async fn follow(self, function: String, process: String, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            self.add(&function, &process, String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }
}
