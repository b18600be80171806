//! Every limit of passcodes, named for what it limits. How long a code lives and how long the next mail is held back are
//! parameters of `template.yaml`; all others are here.
//!
//! Tests take them from here. `docs/architecture.md` lists them under *Where the numbers are*.

use std::time::Duration;

/// Digits of a passcode. They are shown in two halves: `1234 5678`.
pub const DIGITS: usize = 8;

/// Distinct guesses that one passcode allows.
pub const GUESSES_PER_PASSCODE: usize = 5;

/// Wrong guesses in a row, over however many passcodes, after which there is a pause: those of five passcodes whose every
/// guess was wrong. Who mistypes is far from it, and who guesses has mailed the customer five times by then.
pub const FAILURES_IN_A_ROW: u64 = 5 * GUESSES_PER_PASSCODE as u64;

/// How long nothing is mailed and no guess is compared after so many failures in a row.
pub const PAUSE: Duration = Duration::from_hours(1);

/// How many mails fit into how long a time, for one customer in one App.
pub const MAIL_WINDOWS: [MailWindow; 2] = [
    MailWindow { mails: 5, length: Duration::from_mins(10) },
    MailWindow { mails: 30, length: Duration::from_hours(24) },
];

/// How many mails a day (UTC) go to one mailbox over all Apps. `+tag` belongs to no mailbox.
pub const MAILS_PER_MAILBOX: u64 = 50;

/// How many mails a day (UTC) an App sends, where the operator has not said otherwise by `mails_per_day`.
pub const MAILS_PER_APP: u64 = 5_000;

/// The most that the operator may say.
pub const MOST_MAILS_PER_APP: u64 = 10_000_000;

/// How long a budget names the claims that took from it, at least. A call is repeated for less, and a mail is refused
/// within the function's timeout.
pub const NAMED_FOR: Duration = Duration::from_secs(20);

/// For how long nothing is mailed to an address that a mail did not reach, unless the operator allows it before.
pub const UNDELIVERABLE_FOR: Duration = Duration::from_hours(24);

/// How long an item outlives its last claim of a mail: the failures in a row are remembered that long.
pub const KEPT: Duration = Duration::from_hours(30 * 24);

/// How often one send decides anew on what others wrote meanwhile, before it fails.
pub const DECISIONS_PER_SEND: usize = 4;

/// So many mails within so long a time.
#[derive(Clone, Copy, Debug)]
pub struct MailWindow {
    /// The most that are sent.
    pub mails: usize,
    /// Within this time.
    pub length: Duration,
}

/// The longest window: older mails are forgotten.
pub(super) const fn longest_window() -> Duration {
    let mut longest = Duration::ZERO;
    let mut index = 0;
    while index < MAIL_WINDOWS.len() {
        if MAIL_WINDOWS[index].length.as_nanos() > longest.as_nanos() {
            longest = MAIL_WINDOWS[index].length;
        }
        index += 1;
    }
    longest
}

// The derivation takes 64 bits of a MAC: with more digits some codes would be noticeably likelier than others. NIST SP
// 800-63B asks for six at least.
const _: () = assert!(6 <= DIGITS && DIGITS <= 10);
// An item that is forgotten earlier would forget mails that count.
const _: () = assert!(KEPT.as_secs() >= longest_window().as_secs() && KEPT.as_secs() >= PAUSE.as_secs());
