//! The log: JSON lines to standard output, one a request, one a security event.
//!
//! No line holds a secret or an address: events name customers by `cuid`.

use std::sync::OnceLock;

use tracing_subscriber::{
    Layer,
    filter::{FilterExt, LevelFilter, Targets, filter_fn},
    fmt::layer,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    config,
    id::{Cuid, Superkey},
};

/// The function whose log this is.
static FUNCTION: OnceLock<String> = OnceLock::new();

/// The name of the function, as its lines have it.
#[must_use]
pub fn function() -> &'static str {
    FUNCTION.get().map_or("", String::as_str)
}

/// The target of security events.
pub const TARGET: &str = "audit";

/// Something that whoever investigates an incident asks for.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A customer was created.
    CustomerCreated,
    /// A passcode was mailed.
    PasscodeSent,
    /// The mail provider refused a passcode's mail, or its answer was lost.
    MailFailed,
    /// The provider refused a passcode's mail because no mail can go to such an address.
    MailUndeliverable,
    /// SES does not take a mail from the partner's own sender: it went out from the deployment's.
    SenderLost,
    /// SES does not know the App's tenant, or it lacks what the mail is sent with: the mail went out without it.
    TenantLost,
    /// The day's mails of a mailbox are spent, over all Apps: none was sent.
    MailboxBudgetSpent,
    /// The day's mails of an App are spent: none was sent.
    AppBudgetSpent,
    /// The recipient's server refused a passcode's mail for good.
    MailBounced,
    /// The recipient's server refused a passcode's mail; the next one may arrive.
    MailBouncedForNow,
    /// The recipient is on a suppression list after an earlier bounce or complaint: the mail was not tried.
    MailSuppressed,
    /// The recipient reported a passcode's mail as spam.
    MailComplaint,
    /// The provider took a passcode's mail, then found malware in it.
    MailRejected,
    /// The recipient's server puts a passcode's mail off.
    MailDelayed,
    /// A new guess was wrong.
    GuessedWrong,
    /// The last guess that a passcode allows was wrong.
    PasscodeExhausted,
    /// The last failure in a row before the pause.
    GuessesPaused,
    /// A passcode was used up.
    PasscodeRedeemed,
    /// A pair was issued.
    PairIssued,
    /// A pair was revoked by its customer.
    PairRevoked,
    /// All that was issued to a customer was revoked by its App.
    AllRevoked,
    /// A ticket was issued.
    TicketIssued,
    /// A ticket was redeemed.
    TicketRedeemed,
}

impl Event {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomerCreated => "customer_created",
            Self::PasscodeSent => "passcode_sent",
            Self::MailFailed => "mail_failed",
            Self::MailUndeliverable => "mail_undeliverable",
            Self::SenderLost => "sender_lost",
            Self::TenantLost => "tenant_lost",
            Self::MailboxBudgetSpent => "mailbox_budget_spent",
            Self::AppBudgetSpent => "app_budget_spent",
            Self::MailBounced => "mail_bounced",
            Self::MailBouncedForNow => "mail_bounced_for_now",
            Self::MailSuppressed => "mail_suppressed",
            Self::MailComplaint => "mail_complaint",
            Self::MailRejected => "mail_rejected",
            Self::MailDelayed => "mail_delayed",
            Self::GuessedWrong => "guessed_wrong",
            Self::PasscodeExhausted => "passcode_exhausted",
            Self::GuessesPaused => "guesses_paused",
            Self::PasscodeRedeemed => "passcode_redeemed",
            Self::PairIssued => "pair_issued",
            Self::PairRevoked => "pair_revoked",
            Self::AllRevoked => "all_revoked",
            Self::TicketIssued => "ticket_issued",
            Self::TicketRedeemed => "ticket_redeemed",
        }
    }

    /// Writes the event of this customer of this App.
    pub fn log(self, request_id: &str, app: &Superkey, cuid: &Cuid) {
        let (app, cuid) = (app.as_str(), cuid.as_str());
        tracing::info!(target: TARGET, event = self.name(), request_id, app, cuid, "audit");
    }
}

/// Starts the log of a function, by its crate's name, at the level of `LOG_LEVEL` (`info` without one).
///
/// Only this project's lines are written, and the runtime's errors: what the SDK says at its finer levels holds whole
/// requests, mails among them. Security events are written at every level.
pub fn init(crate_name: &str) {
    // Lambda's own name for it would differ from stack to stack. A second start leaves the first in place.
    let _ = FUNCTION.set(crate_name.replace('_', "-"));
    let level = config::optional("LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_target(TARGET, LevelFilter::INFO)
        .with_target("shared", level)
        .with_target(crate_name, level)
        .with_target("lambda_runtime", LevelFilter::ERROR);
    // The runtime repeats a refusal that the function has logged itself. Its line of a panic has a field more.
    let own =
        filter_fn(|line| line.target() != "lambda_runtime::layers::panic" || line.fields().field("error").is_some());
    let lines = layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // A second start, as in tests, leaves the first in place.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets.and(own))).try_init();
}
