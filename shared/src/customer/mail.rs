//! What became of the mails to a customer's address: record and guard say it alike, and the next send reads it with the
//! guard.

use super::{guard_key_of, its_own, record_key};
use crate::{
    Store, Timestamp,
    id::{Cuid, Superkey},
    passcode::limits::UNDELIVERABLE_FOR,
    store::{Attribute, Conditions, Item, ItemExt, Outcome, StoreError, Transaction, Update, number, text},
};

const STATUS: &str = "mail_status";
const AT: &str = "mail_at";

/// What is known of mails to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailStatus {
    /// The recipient's server refused one for good.
    Bounced,
    /// The recipient reported one as spam.
    Complained,
    /// One was not tried: the address is on a suppression list.
    Suppressed,
    /// They arrive: a passcode came back, or the operator says so.
    Arrives,
}

impl MailStatus {
    const ALL: [Self; 4] = [Self::Bounced, Self::Complained, Self::Suppressed, Self::Arrives];

    const fn name(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Suppressed => "suppressed",
            Self::Arrives => "arrives",
        }
    }
}

/// What was learned last, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailOutcome {
    /// What.
    pub status: MailStatus,
    /// When.
    pub at: Timestamp,
}

impl MailOutcome {
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let name = item.text(STATUS)?;
        let status = MailStatus::ALL.into_iter().find(|status| status.name() == name)?;
        Some(Self { status, at: item.timestamp(AT)? })
    }

    /// The attributes of record and guard; none where nothing is known.
    #[must_use]
    pub fn attributes(outcome: Option<Self>) -> [(&'static str, Option<Attribute>); 2] {
        let status = outcome.map(|outcome| text(outcome.status.name()));
        [(STATUS, status), (AT, outcome.map(|outcome| number(outcome.at.as_millis())))]
    }

    /// Where mails do not arrive, how a caller sees that.
    #[must_use]
    pub fn to_json(self) -> Option<serde_json::Value> {
        self.is_trouble().then(|| serde_json::json!({ "status": self.status.name(), "at": self.at }))
    }

    /// Whether mails do not arrive.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        self.status != MailStatus::Arrives
    }

    /// Whether none is mailed now: another try that soon costs the sender's reputation.
    #[must_use]
    pub fn holds(self, now: Timestamp) -> bool {
        self.is_trouble() && now < self.at + UNDELIVERABLE_FOR
    }

    /// An update with these attributes.
    pub(super) fn set_in(self, update: Update) -> Update {
        let attributes = Self::attributes(Some(self)).into_iter();
        attributes.fold(update, |update, (name, value)| update.set_or_remove(name, value))
    }
}

/// Record and guard know no more than what was read.
pub(super) fn unchanged(conditions: Conditions, outcome: Option<MailOutcome>) -> Conditions {
    let attributes = MailOutcome::attributes(outcome).into_iter();
    attributes.fold(conditions, |conditions, (name, value)| conditions.unchanged(name, value))
}

/// Whose mail it was: a customer of an App, and the hash of the address that it went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The App.
    pub app: Superkey,
    /// The customer.
    pub cuid: Cuid,
    /// [`crate::email::EmailAddress::lookup_hash`] of the address.
    pub address_hash: String,
}

/// Notes what became of a mail, in one transaction, and answers whether it is news. It is none where the customer is gone
/// or has another address meanwhile, and where something later is known: events come twice and out of order.
///
/// # Errors
/// What DynamoDB or the network answered.
pub async fn note_mail(store: &Store, recipient: &Recipient, outcome: MailOutcome) -> Result<bool, StoreError> {
    let Recipient { app, cuid, address_hash } = recipient;
    let older = || {
        let alternatives = [Conditions::default().missing(AT), Conditions::default().earlier(AT, outcome.at)];
        its_own(cuid).any_of(alternatives)
    };
    let transaction = Transaction::new(store)
        .update(outcome.set_in(Update::of(&guard_key_of(app, address_hash))).only_if(older()))?
        .update(outcome.set_in(Update::of(&record_key(cuid))).only_if(older()))?;
    Ok(matches!(transaction.commit().await?, Outcome::Done))
}
