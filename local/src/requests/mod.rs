//! The record of the latest requests, and behind each its whole story: what came, which process took it, what it called,
//! what it wrote to its log, what it replied. The inspector and the terminal show it.
//!
//! It is bounded in number and in bytes, and holds secrets as they came: whoever shows it hides them.

mod functions;
mod record;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

pub use functions::{FunctionState, Functions};
pub use record::{Called, Direction, Line, Record, Reply, Row, Text};
use tokio::sync::broadcast;

/// Requests kept at most, the oldest going first.
const KEPT: usize = 500;
/// What their texts may take together, in bytes.
const MEMORY: usize = 32 * 1024 * 1024;
/// Calls and lines kept of one request at most.
const PARTS: usize = 200;

/// What is told of the end of a request: its row, and what its function has written.
type Ended = dyn Fn(&Row, &[Line]) + Send + Sync;

/// The latest requests.
#[derive(Clone)]
pub struct Requests {
    kept: Arc<Mutex<Kept>>,
    changes: broadcast::Sender<Row>,
    /// What each function is doing.
    pub functions: Functions,
    ended: Arc<Ended>,
}

/// When a line that a function has written is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Telling {
    /// With its request, which is under way.
    WithTheRequest,
    /// At once.
    Now {
        /// Whether its request is answered and told with a note.
        noted: bool,
    },
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Record>,
    bytes: usize,
    number: u64,
}

impl Requests {
    /// None yet; `ended` is told of the end of each.
    #[must_use]
    pub fn new(ended: impl Fn(&Row, &[Line]) + Send + Sync + 'static) -> Self {
        let changes = broadcast::Sender::new(1024);
        Self { kept: Arc::default(), changes, functions: Functions::default(), ended: Arc::new(ended) }
    }

    /// A request has come.
    pub(crate) fn begin(&self, mut record: Record) {
        let mut kept = self.lock();
        kept.number += 1;
        record.number = kept.number;
        let row = record.row();
        kept.bytes += record.bytes();
        kept.records.push_back(record);
        kept.shrink();
        drop(kept);
        self.tell(row);
    }

    /// The function that it goes to, and the event that the function is given.
    pub(crate) fn event(&self, id: &str, function: &str, event: &[u8]) {
        self.change(id, |record| {
            record.function = Some(function.to_owned());
            record.event = Some(Text::of(event));
        });
    }

    /// A process has taken it, its first request or a later one.
    pub(crate) fn taken(&self, id: &str, process: &str, cold: bool) {
        self.change(id, |record| {
            record.process = Some(process.to_owned());
            record.cold = Some(cold);
            record.taken_ms = Some(record.elapsed_ms());
        });
    }

    /// It has called a backend.
    pub(crate) fn called(&self, id: &str, started: Instant, mut called: Called) {
        self.change(id, |record| {
            called.started_ms = record.ms_at(started);
            called.ended_ms = record.elapsed_ms();
            if record.calls.len() < PARTS {
                record.calls.push(called);
            }
        });
    }

    /// Its function has written a line.
    pub(crate) fn wrote(&self, id: &str, text: &str) -> Telling {
        let telling = self.change(id, |record| {
            if record.lines.len() < PARTS {
                record.lines.push(Line { at_ms: record.elapsed_ms(), text: Text::of(text.as_bytes()) });
                if record.answer.is_none() {
                    return Telling::WithTheRequest;
                }
            }
            Telling::Now { noted: record.row().note.is_some() }
        });
        telling.map_or(Telling::Now { noted: false }, |(telling, _)| telling)
    }

    /// Its function has replied, or failed.
    pub(crate) fn replied(&self, id: &str, reply: Result<&[u8], &[u8]>) {
        self.change(id, |record| {
            record.replied_ms = Some(record.elapsed_ms());
            match reply {
                Ok(reply) => record.reply = Some(Text::of(reply)),
                Err(error) => record.failure = Some(Text::of(error)),
            }
        });
    }

    /// It is answered.
    pub(crate) fn end(&self, id: &str, reply: Reply) {
        let ended = self.change(id, |record| {
            record.end(reply);
            record.lines.clone()
        });
        if let Some((lines, row)) = ended {
            (self.ended)(&row, &lines);
        }
    }

    fn change<T>(&self, id: &str, change: impl FnOnce(&mut Record) -> T) -> Option<(T, Row)> {
        let mut kept = self.lock();
        let kept = &mut *kept;
        let record = kept.records.iter_mut().rev().find(|record| record.id == id)?;
        let before = record.bytes();
        let changed = change(record);
        let row = record.row();
        kept.bytes = kept.bytes + record.bytes() - before;
        kept.shrink();
        self.tell(row.clone());
        Some((changed, row))
    }

    fn tell(&self, row: Row) {
        // Nobody may be looking.
        let _ = self.changes.send(row);
    }

    /// Every row still kept, the oldest first, and each that changes from now on.
    #[must_use]
    pub fn follow(&self) -> (Vec<Row>, broadcast::Receiver<Row>) {
        let kept = self.lock();
        (kept.records.iter().map(Record::row).collect(), self.changes.subscribe())
    }

    /// The whole story of one request.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Record> {
        self.lock().records.iter().rev().find(|record| record.id == id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn shrink(&mut self) {
        while self.records.len() > KEPT || (self.bytes > MEMORY && self.records.len() > 1) {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= oldest.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, MEMORY, Record, Requests, Text};

    fn begin(requests: &Requests, id: String, body: &[u8]) {
        let mut record = Record::new(id, "GET", "/x", &axum::http::HeaderMap::new());
        record.body = Text::of(body);
        requests.begin(record);
    }

    #[test]
    fn the_oldest_requests_make_room() {
        let requests = Requests::new(|_, _| {});
        for number in 0..=KEPT {
            begin(&requests, number.to_string(), b"");
        }
        assert!(requests.find("0").is_none());
        assert_eq!(requests.follow().0.len(), KEPT);
    }

    #[test]
    fn memory_is_bounded_whatever_is_sent() {
        let requests = Requests::new(|_, _| {});
        let large = vec![b'x'; 10 * 1024 * 1024];
        for number in 0..300 {
            begin(&requests, number.to_string(), &large);
            for _ in 0..300 {
                requests.wrote(&number.to_string(), "a line of the log that is written again and again");
            }
        }
        let kept = requests.lock();
        assert!(kept.bytes <= MEMORY);
        assert_eq!(kept.bytes, kept.records.iter().map(Record::bytes).sum::<usize>());
    }
}
