//! Mail: the SES v2 endpoint that takes it in, and the mailbox that shows it.

mod account;
mod kept;
mod management;
mod outcomes;
mod server;
mod ses;
mod source;

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

pub use account::{Account, Identity, Tenant, arn};
use anyhow::Result;
use kept::Kept;
pub use outcomes::{Outcome, Outcomes, Told};
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
pub use server::router;
use tokio::sync::broadcast;

use crate::{ids, time};

/// Mails kept at most, the oldest going first.
const KEPT: usize = 10_000;

/// One mail that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// The message id that SES has answered.
    pub id: String,
    /// The sender as given, display name included.
    pub from: String,
    /// The recipients, separated by commas.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text; empty if there is none.
    pub text: String,
    /// The HTML; empty if there is none.
    pub html: String,
    /// RFC 3339, UTC.
    pub sent_at: String,
    /// The headers that the sender has asked for, besides these.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
}

/// What a list shows of a mail.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    id: String,
    from: String,
    to: String,
    subject: String,
    /// The passcode as it is written in the mail; empty if there is none.
    code: String,
    sent_at: String,
}

impl From<&Mail> for Row {
    fn from(mail: &Mail) -> Self {
        let Mail { id, from, to, subject, sent_at, .. } = mail.clone();
        Self { id, from, to, subject, code: passcode_in(&mail.text).unwrap_or_default().to_owned(), sent_at }
    }
}

/// The passcode, as a mail writes it: `1234 5678`.
fn passcode_in(text: &str) -> Option<&str> {
    static PASSCODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[0-9]{4} [0-9]{4}\b").ok());
    Some(PASSCODE.as_ref()?.find(text)?.as_str())
}

/// Something that has happened to the mailbox, as the page is told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// A mail has come.
    Added { mail: Row },
    /// One was deleted.
    Deleted { id: String },
    /// All were.
    Cleared,
    /// More than could be told one by one.
    Much,
}

/// Every mail that the functions have sent.
#[derive(Clone)]
pub struct Mailbox {
    mails: Arc<Mutex<VecDeque<Mail>>>,
    changes: broadcast::Sender<Change>,
    kept: Option<Kept>,
    /// What becomes of mails, and SES's suppression list.
    pub outcomes: Arc<Outcomes>,
    /// Identities and tenants.
    pub account: Arc<Account>,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            mails: Arc::default(),
            changes: broadcast::Sender::new(256),
            kept: None,
            outcomes: Arc::default(),
            account: Arc::default(),
        }
    }
}

impl Mailbox {
    /// A mailbox beside an account. The mails that `folder` keeps are in it, and new ones are kept there.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that is damaged.
    pub fn open(folder: Option<&Path>, account: Account) -> Result<Self> {
        let empty = Self { account: Arc::new(account), ..Self::default() };
        let Some(folder) = folder else { return Ok(empty) };
        let (kept, mails) = Kept::open(folder)?;
        Ok(Self { mails: Arc::new(Mutex::new(mails)), kept: Some(kept), ..empty })
    }

    /// The mails to `address`, as it is typed or as mail goes to it, or all, the newest first.
    #[must_use]
    pub fn mails(&self, address: Option<&str>) -> Vec<Mail> {
        let deliverable = address.and_then(|address| {
            let (local, domain) = address.rsplit_once('@')?;
            let url = reqwest::Url::parse(&format!("http://{domain}/")).ok()?;
            Some(format!("{local}@{}", url.host_str()?))
        });
        let address = deliverable.as_deref().or(address);
        let to =
            |mail: &&Mail| address.is_none_or(|address| mail.to.split(", ").any(|to| to.eq_ignore_ascii_case(address)));
        self.lock().iter().rev().filter(to).cloned().collect()
    }

    /// All mails as a list shows them, the newest first.
    fn rows(&self) -> Vec<Row> {
        self.lock().iter().rev().map(Row::from).collect()
    }

    /// The mail with this id.
    #[must_use]
    pub fn mail(&self, id: &str) -> Option<Mail> {
        self.lock().iter().find(|mail| mail.id == id).cloned()
    }

    /// Deletes every mail.
    pub fn clear(&self) {
        self.lock().clear();
        self.announce(Change::Cleared);
    }

    /// Deletes one mail; says whether it was there.
    #[must_use]
    pub fn delete(&self, id: &str) -> bool {
        let mut mails = self.lock();
        let before = mails.len();
        mails.retain(|mail| mail.id != id);
        let deleted = mails.len() < before;
        drop(mails);
        if deleted {
            self.announce(Change::Deleted { id: id.to_owned() });
        }
        deleted
    }

    /// Takes a mail in, which arrives unless its address is on the suppression list, and returns its id.
    fn add(&self, parts: ses::Parts) -> String {
        let id = format!("local-{}", ids::uuid());
        if let Outcome::IsSuppressed(_) = self.outcomes.decide(&id, &parts) {
            return id;
        }
        let mail = Mail {
            id: id.clone(),
            from: parts.from,
            to: parts.to.join(", "),
            subject: parts.subject,
            text: parts.text,
            html: parts.html,
            sent_at: time::rfc3339(time::now_ms()),
            headers: parts.headers,
        };
        let row = Row::from(&mail);
        let mut mails = self.lock();
        if let Some(kept) = &self.kept {
            kept.added(&mail);
        }
        let oldest = if mails.len() == KEPT { mails.pop_front() } else { None };
        mails.push_back(mail);
        drop(mails);
        if let Some(Mail { id, .. }) = oldest {
            self.announce(Change::Deleted { id });
        }
        self.announce(Change::Added { mail: row });
        id
    }

    /// The mail of this `SendEmail` comes back; returns the id of the request that the event becomes.
    pub(crate) fn bounce(&self, id: &str, request: &str) -> Option<String> {
        self.outcomes.bounce(id, &ses::parse(request.as_bytes()).ok()?)
    }

    fn announce(&self, change: Change) {
        match (&self.kept, &change) {
            (Some(kept), Change::Deleted { id }) => kept.deleted(id),
            (Some(kept), Change::Cleared) => kept.cleared(),
            _ => {}
        }
        // Nobody may be looking.
        let _ = self.changes.send(change);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
