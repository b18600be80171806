//! Customer pairs: `key` and `token`, issued at creation and by both `/auth` endpoints.

use std::time::Duration;

use serde::Serialize;

use crate::{
    Store, Timestamp,
    id::{Cuid, CustomerKey, Subject},
    store::{Conditional, Conditions, Item, ItemExt, Key, StoreError, Table, Update, bytes, item, number, text, ttl},
    token::{Level, Token, TokenHash},
};

/// Where the pair of this key is.
#[must_use]
pub fn record_key(key: &CustomerKey) -> Key {
    Key::new(Table::Credentials, "key", key.as_str())
}

/// Ends a pair. Answers `false` where there is none.
///
/// # Errors
/// What DynamoDB or the network answered.
pub async fn revoke(store: &Store, key: &CustomerKey, now: Timestamp) -> Result<bool, StoreError> {
    let update = Update::of(&record_key(key)).set("revoked_at", number(now.as_millis()));
    let written = store.update(update.only_if(Conditions::default().exists("cuid"))).await?;
    Ok(matches!(written, Conditional::Done(_)))
}

/// A pair as stored.
#[derive(Debug)]
pub struct Credential {
    token_hash: TokenHash,
    epoch: u64,
    expires_at: Timestamp,
    revoked: bool,
}

/// A pair as its customer gets it, this once.
#[derive(Debug, Serialize)]
pub struct IssuedPair {
    /// The customer.
    pub cuid: Cuid,
    /// Names the pair.
    pub key: CustomerKey,
    /// Proves it.
    pub token: Token,
    /// The first moment at which it is no longer valid.
    pub expires_at: Timestamp,
}

impl IssuedPair {
    /// A new pair of this customer, with the item to be stored. It holds while the customer's epoch is the subject's,
    /// for `lifetime` from now.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(subject: &Subject, now: Timestamp, lifetime: Duration) -> Result<(Self, Item), getrandom::Error> {
        let cuid = subject.cuid.clone();
        let expires_at = now + lifetime;
        let pair = Self { key: CustomerKey::new(&cuid)?, cuid, token: Token::new(Level::Customer)?, expires_at };
        let item = item([
            ("key", text(pair.key.as_str())),
            ("token_hash", bytes(*pair.token.hash().as_bytes())),
            ("cuid", text(pair.cuid.as_str())),
            ("app", text(subject.app.as_str())),
            ("epoch", number(subject.epoch)),
            ("issued_at", number(now.as_millis())),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", ttl(expires_at)),
        ]);
        Ok((pair, item))
    }
}

impl Credential {
    /// Reads a stored pair.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            token_hash: TokenHash::from_bytes(item.bytes("token_hash")?)?,
            epoch: item.number("epoch")?,
            expires_at: item.timestamp("expires_at")?,
            revoked: item.contains_key("revoked_at"),
        })
    }

    /// Whether `token` is this pair's and neither expired nor revoked: revoking all pairs raises the customer's epoch.
    #[must_use]
    pub fn accepts(&self, token: &str, customer_epoch: u64, now: Timestamp) -> bool {
        self.token_hash.matches(token) && now < self.expires_at && !self.revoked && self.epoch == customer_epoch
    }
}
