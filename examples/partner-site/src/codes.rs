//! What the site knows of the codes that it has had mailed, by address. The API tells a wrong code from an expired or
//! exhausted one to nobody; what has happened here is known here, and makes for kinder words. An address without an
//! account is treated like any other, so that nobody learns which addresses have one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::words::{Words, put};

/// Different wrong guesses that a code stands, as the reference says.
const GUESSES: usize = 5;
/// Mails to an address at most, and in how long: as many as the API sends.
const MAILS: [(usize, Duration); 2] = [(5, Duration::from_mins(10)), (30, Duration::from_hours(24))];
/// After this nothing that is known of an address matters any more.
const KEPT: Duration = MAILS[1].1;

/// How long a code works, and how long no other mail is sent after one. A partner learns both from the operator.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the first mail with the code.
    pub code_lifetime: Duration,
    /// From each mail.
    pub cooldown: Duration,
}

/// The codes of every address.
pub struct Codes {
    times: Times,
    by_address: Mutex<HashMap<String, Code>>,
}

/// What is known of an address's newest code.
#[derive(Clone, Default)]
pub struct Code {
    /// When it was first mailed; `None` if it was used.
    since: Option<Instant>,
    tried: BTreeSet<String>,
    /// Whether it may be used up by a request whose reply was lost.
    lost: bool,
    held_until: Option<Instant>,
    mails: Vec<Instant>,
}

impl Codes {
    pub fn new(times: Times) -> Self {
        Self { times, by_address: Mutex::default() }
    }

    /// What is known of the code of `address`.
    pub fn of(&self, address: &str) -> Code {
        self.change(address, |code, _| code.clone())
    }

    /// A mail was asked for. Says whether it holds a new code.
    pub fn mailed(&self, address: &str, held: Option<Duration>) -> bool {
        self.change(address, |code, times| {
            let now = Instant::now();
            let is_new = code.is_over(times);
            if is_new {
                *code = Code { since: Some(now), mails: std::mem::take(&mut code.mails), ..Code::default() };
            }
            code.mails.push(now);
            code.held_until = Some(now + held.unwrap_or(times.cooldown));
            is_new
        })
    }

    /// A code was refused; `repeated` if an earlier attempt at the same request may have been the one that used it up.
    pub fn refused(&self, address: &str, entered: &str, repeated: bool) {
        self.change(address, |code, _| {
            code.lost |= repeated;
            code.tried.insert(entered.to_owned());
        });
    }

    /// The code was right, and is used up.
    pub fn used(&self, address: &str) {
        self.change(address, |code, _| code.since = None);
    }

    fn change<T>(&self, address: &str, change: impl FnOnce(&mut Code, Times) -> T) -> T {
        let mut codes = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| code.mails.last().is_some_and(|mail| mail.elapsed() < KEPT));
        change(codes.entry(address.to_ascii_lowercase()).or_default(), self.times)
    }
}

impl Code {
    /// Whether no entry can be right any more, as far as one knows here.
    pub fn is_over(&self, times: Times) -> bool {
        self.lost || self.tried.len() >= GUESSES || self.left(times).is_zero()
    }

    /// How long it still works.
    pub fn left(&self, times: Times) -> Duration {
        self.since.map_or(Duration::ZERO, |since| times.code_lifetime.saturating_sub(since.elapsed()))
    }

    /// How long until another mail, and whether that is for having asked too often.
    pub fn wait(&self, times: Times) -> (Duration, bool) {
        let too_many = MAILS.iter().filter_map(|&(most, window)| {
            let first = self.mails.get(self.mails.len().checked_sub(most)?)?;
            Some(window.saturating_sub(first.elapsed()))
        });
        let too_many = too_many.max().unwrap_or_default();
        // The cooldown is about a code that lives: in place of one that is over there is another at once.
        let held = self.held_until.filter(|_| !self.is_over(times)).unwrap_or_else(Instant::now);
        let held = held.saturating_duration_since(Instant::now());
        (held.max(too_many), !too_many.is_zero())
    }

    /// Why a code was refused.
    pub fn why_refused(&self, words: &Words, times: Times) -> String {
        let sentence = match GUESSES.saturating_sub(self.tried.len()) {
            _ if self.lost => words.lost,
            _ if self.left(times).is_zero() => words.expired,
            0 => words.worn_out,
            1 => words.wrong_once_more,
            left => return put(words.wrong, "left", &left.to_string()),
        };
        sentence.to_owned()
    }
}
