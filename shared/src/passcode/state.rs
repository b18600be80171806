//! The passcode item as read, and when the code in it lives.

use super::{
    Pepper,
    limits::{FAILURES_IN_A_ROW, GUESSES_PER_PASSCODE, KEPT, PAUSE},
};
use crate::{
    Store, Timestamp,
    email::EmailAddress,
    id::{Cuid, Subject, Superkey},
    random,
    store::{Conditions, Item, ItemExt, Key, StoreError, Table, Update, bytes, ttl},
};

/// Where the passcode of an address in an App is. Keyed by address, it is read in one call with the guard.
#[must_use]
pub fn record_key(superkey: &Superkey, address: &EmailAddress) -> Key {
    Key::new(Table::Passcodes, "id", format!("{superkey}/{}", address.lookup_hash()))
}

/// What ends with a code.
const OF_A_CODE: [&str; 7] = ["nonce", "pepper", "tried", "expires_at", "mailed_at", "undeliverable", "lease_until"];

/// An update that takes the code out of the item, and leaves what is counted over several codes.
pub(super) fn without_code(key: &Key) -> Update {
    OF_A_CODE.into_iter().fold(Update::of(key), Update::remove)
}

/// An update that ends the living passcode of an address. What is counted over several codes goes on.
#[must_use]
pub fn ended(superkey: &Superkey, address: &EmailAddress, now: Timestamp) -> Update {
    // Where there is no item the update makes one, which is tidied up as any other.
    without_code(&record_key(superkey, address)).set("ttl", ttl(now + KEPT))
}

/// Lets the windows of mails, the failures in a row and the pause of an address begin anew. A living passcode stays, with
/// its guesses and its cooldown.
///
/// # Errors
/// What DynamoDB or the network answered; no randomness.
pub async fn reset_limits(store: &Store, superkey: &Superkey, address: &EmailAddress) -> Result<(), StoreError> {
    let key = record_key(superkey, address);
    let claim: [u8; 16] = random::bytes()?;
    let update = Update::of(&key)
        .remove("mails")
        .remove("failures")
        .remove("last_guess_at")
        // Who has read the item, or is mailing, would write what it counted before: the claim is not theirs any more.
        .set("claim", bytes(claim))
        .only_if(Conditions::default().exists("id"));
    // Where there is no item there is nothing that limits.
    store.update(update).await.map(|_| ())
}

/// What the item says. Everything is absent before the first mail.
#[derive(Debug, Default)]
pub struct State {
    /// The customer whose code it is. An erased customer's successor has another.
    pub cuid: Option<Cuid>,
    /// What the code is derived from; absent when used up.
    pub nonce: Option<Vec<u8>>,
    /// The generation of the pepper that the code is derived with.
    pub pepper: Option<String>,
    /// The first moment at which the code is no longer valid.
    pub expires_at: Option<Timestamp>,
    /// When the mail that carries the living code was known to be accepted.
    pub mailed_at: Option<Timestamp>,
    /// Whether the provider found instead that no mail can go to the address.
    pub undeliverable: bool,
    /// Until when somebody else may be mailing.
    pub lease_until: Option<Timestamp>,
    /// Which invocation claimed the last mail.
    pub claim: Option<Vec<u8>>,
    /// When mails went out; one whose outcome is not known counts from the end of its lease, the latest it can have been.
    pub mails: Vec<Timestamp>,
    /// MACs of the distinct guesses at this code.
    pub tried: Vec<Vec<u8>>,
    /// Wrong guesses since the last success.
    pub failures: u64,
    /// When the last new guess was counted.
    pub last_guess_at: Option<Timestamp>,
}

impl State {
    /// Reads the item; one that is not there is the state before the first mail.
    #[must_use]
    pub fn from_item(item: Option<&Item>) -> Self {
        let Some(item) = item else {
            return Self::default();
        };
        Self {
            cuid: item.text("cuid").and_then(Cuid::parse),
            nonce: item.bytes("nonce").map(<[u8]>::to_vec),
            pepper: item.text("pepper").map(str::to_owned),
            expires_at: item.timestamp("expires_at"),
            mailed_at: item.timestamp("mailed_at"),
            undeliverable: item.contains_key("undeliverable"),
            lease_until: item.timestamp("lease_until"),
            claim: item.bytes("claim").map(<[u8]>::to_vec),
            mails: item.numbers("mails").into_iter().map(Timestamp::from_millis).collect(),
            tried: item.byte_strings("tried").iter().map(|mac| mac.as_ref().to_vec()).collect(),
            failures: item.number("failures").unwrap_or_default(),
            last_guess_at: item.timestamp("last_guess_at"),
        }
    }

    /// The nonce of the code, while it is neither used nor expired, and this customer's.
    #[must_use]
    pub fn valid_nonce(&self, cuid: &Cuid, now: Timestamp) -> Option<&[u8]> {
        let valid = self.cuid.as_ref() == Some(cuid) && self.expires_at.is_some_and(|expires_at| now < expires_at);
        self.nonce.as_deref().filter(|_| valid)
    }

    /// The nonce of a code that this pepper can tell: valid, and of its generation. A code of another one is dead.
    #[must_use]
    pub fn comparable_nonce(&self, pepper: &Pepper, cuid: &Cuid, now: Timestamp) -> Option<&[u8]> {
        self.valid_nonce(cuid, now).filter(|_| self.pepper.as_deref() == Some(pepper.generation()))
    }

    /// The nonce of a living code: comparable, and not exhausted. With no guess left it lives on where the right one is
    /// among those counted: whoever made it is about to use it, or lost the reply and repeats.
    #[must_use]
    pub fn living_nonce(&self, pepper: &Pepper, whose: &Subject, now: Timestamp) -> Option<&[u8]> {
        let nonce = self.comparable_nonce(pepper, &whose.cuid, now)?;
        let lives = self.tried.len() < GUESSES_PER_PASSCODE || {
            let code = pepper.code(nonce, whose);
            self.was_tried(&pepper.guess_mac(&code, whose))
        };
        lives.then_some(nonce)
    }

    /// Whether a guess with this MAC was counted against this code.
    #[must_use]
    pub fn was_tried(&self, mac: &[u8]) -> bool {
        self.tried.iter().any(|tried| tried == mac)
    }

    /// When the pause after too many failures ends; `None` where there is none.
    #[must_use]
    pub fn pause_ends(&self) -> Option<Timestamp> {
        let last = self.last_guess_at.filter(|_| self.failures >= FAILURES_IN_A_ROW)?;
        Some(last + PAUSE)
    }
}
