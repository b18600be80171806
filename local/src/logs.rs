//! What the functions write to their standard streams.

use std::{
    collections::VecDeque,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

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
#[derive(Clone, Default)]
pub struct Logs {
    lines: Arc<Mutex<VecDeque<Line>>>,
    print: bool,
}

impl Logs {
    /// Logs that are also printed to standard error, each line under its function's name, if `print` is set.
    #[must_use]
    pub fn new(print: bool) -> Self {
        Self { lines: Arc::default(), print }
    }

    /// All lines still kept, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn add(&self, function: &str, text: String) {
        if self.print {
            // Nobody may be reading standard error any more; the function must go on all the same.
            let _ = writeln!(std::io::stderr().lock(), "[{function}] {text}");
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(Line { function: function.to_owned(), text });
    }

    /// Takes in `stream` until it ends.
    pub(crate) async fn follow(self, function: String, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            self.add(&function, String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }
}
