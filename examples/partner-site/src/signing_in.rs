//! What a site knows of somebody to whom it has had a code mailed.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::api::Pair;

/// Different wrong guesses that a code stands, as the reference says.
const GUESSES: usize = 5;
/// How long the right code may be sent again: by a double click, whose first reply the browser has thrown away.
const DOUBLE_CLICK: Duration = Duration::from_secs(10);

/// Somebody whom a code was mailed. The API tells a wrong code from an expired or exhausted one to nobody; what has
/// happened in this browser is known here, and makes for kinder words.
pub struct SigningIn {
    pub email: String,
    pub code_since: Instant,
    pub tried: BTreeSet<String>,
    /// Whether the code may be used up by a request whose reply was lost.
    pub lost: bool,
    pub next_mail: Instant,
    pub too_many: bool,
    pub accepted: Option<(Instant, String, Pair)>,
}

impl SigningIn {
    pub fn new(email: String) -> Self {
        let now = Instant::now();
        let tried = BTreeSet::new();
        Self { email, code_since: now, tried, lost: false, next_mail: now, too_many: false, accepted: None }
    }

    /// Another tab may have begun anew with another address since this one's page was made.
    pub fn turn_to(&mut self, email: String) {
        if !email.is_empty() && email != self.email {
            *self = Self::new(email);
        }
    }

    /// Whether no entry can be right any more, as far as one knows here.
    pub fn is_over(&self, code_lifetime: Duration) -> bool {
        self.lost || self.tried.len() >= GUESSES || self.code_since.elapsed() >= code_lifetime
    }

    /// The cooldown is about a code that lives: in place of one that is over there is another at once.
    pub fn wait(&self, code_lifetime: Duration) -> Duration {
        let over = self.is_over(code_lifetime) && !self.too_many;
        if over { Duration::ZERO } else { self.next_mail.saturating_duration_since(Instant::now()) }
    }

    /// The pair that this very code has brought a moment ago.
    pub fn accepted_before(&self, code: &str) -> Option<Pair> {
        let (at, accepted, pair) = self.accepted.as_ref()?;
        (accepted == code && at.elapsed() < DOUBLE_CLICK).then(|| pair.clone())
    }

    /// Why a code was refused, as far as one knows here.
    pub fn why_refused(&self, code_lifetime: Duration) -> String {
        if self.lost {
            "Something went wrong on the way, and the code may be used up. Please have a new one mailed.".to_owned()
        } else if self.code_since.elapsed() >= code_lifetime {
            "This code has expired. Please have a new one mailed.".to_owned()
        } else if self.tried.len() >= GUESSES {
            "That was wrong too often, and the code no longer works. Please have a new one mailed.".to_owned()
        } else {
            "That is not the code. Please look at the newest mail, and try once more.".to_owned()
        }
    }
}
