//! The tokens that the key of an App or a platform accepts.

use crate::{
    Timestamp,
    store::{Item, ItemExt, bytes, number},
    token::TokenHash,
};

/// The tokens that a key accepts: its own, and while it is being rotated the one before.
#[derive(Debug)]
pub struct Tokens {
    current: TokenHash,
    previous: Option<(TokenHash, Timestamp)>,
}

impl Tokens {
    /// The attributes that hold them.
    pub const ATTRIBUTES: [&str; 3] = ["token_hash", "previous_token_hash", "previous_expires_at"];

    /// One token and no other.
    #[must_use]
    pub const fn new(current: TokenHash) -> Self {
        Self { current, previous: None }
    }

    /// A new token; the one before it goes on until `overlap_ends`, any older one ends now.
    #[must_use]
    pub fn rotated(self, current: TokenHash, overlap_ends: Timestamp) -> Self {
        Self { current, previous: Some((self.current, overlap_ends)) }
    }

    /// Whether this token is accepted now. Both comparisons take constant time.
    #[must_use]
    pub fn accept(&self, token: &str, now: Timestamp) -> bool {
        let previous = self.previous.as_ref().is_some_and(|(hash, until)| now < *until && hash.matches(token));
        self.current.matches(token) || previous
    }

    /// Reads them from a record.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        let previous = item.bytes("previous_token_hash").and_then(TokenHash::from_bytes);
        Some(Self {
            current: TokenHash::from_bytes(item.bytes("token_hash")?)?,
            previous: previous.zip(item.timestamp("previous_expires_at")),
        })
    }

    /// What those attributes are.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = Item::from([("token_hash".to_owned(), bytes(*self.current.as_bytes()))]);
        if let Some((hash, until)) = &self.previous {
            item.insert("previous_token_hash".to_owned(), bytes(*hash.as_bytes()));
            item.insert("previous_expires_at".to_owned(), number(until.as_millis()));
        }
        item
    }
}
