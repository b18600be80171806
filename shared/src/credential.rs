//! Customer pairs: `key` and `token`, issued at creation and by both `/auth` endpoints.

use std::time::Duration;

use serde::Serialize;

use crate::{
    Timestamp,
    store::{Item, ItemExt, bytes, number, text},
    token::{Level, Token, TokenHash, new_customer_key},
};

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
    pub cuid: String,
    /// Names the pair.
    pub key: String,
    /// Proves it.
    pub token: Token,
}

impl IssuedPair {
    /// A new pair of this customer, with the item to be stored. It holds while the customer's epoch is `epoch`, for
    /// `lifetime` from now.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(
        cuid: &str,
        app: &str,
        epoch: u64,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<(Self, Item), getrandom::Error> {
        let pair = Self { cuid: cuid.to_owned(), key: new_customer_key(cuid)?, token: Token::new(Level::Customer)? };
        let expires_at = now + lifetime;
        let item = [
            ("key", text(&pair.key)),
            ("token_hash", bytes(*pair.token.hash().as_bytes())),
            ("cuid", text(cuid)),
            ("app", text(app)),
            ("epoch", number(epoch)),
            ("issued_at", number(now.as_millis())),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", ttl(expires_at)),
        ];
        Ok((pair, item.map(|(name, value)| (name.to_owned(), value)).into()))
    }
}

/// The attribute by which DynamoDB tidies an item up after this moment. It decides nothing.
#[must_use]
pub fn ttl(after: Timestamp) -> crate::store::Attribute {
    number(after.as_millis() / 1000 + 1)
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
