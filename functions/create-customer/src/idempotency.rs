//! `Idempotency-Key`: a creation whose reply was lost can be repeated, and is answered with the customer that it made.
//!
//! The guard of the address keeps hashes of key and fields, so that whoever meets it in the way of a creation can tell a
//! repetition from somebody else's.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::{
    Error, Result, Timestamp,
    http::Call,
    store::{Item, ItemExt, bytes, item, number},
};

/// For how long a creation can be repeated.
const KEPT: Duration = Duration::from_hours(24);
/// The most characters that a key may have.
const MAX_LENGTH: usize = 255;

/// What tells one creation from another.
#[derive(Debug)]
pub struct Idempotency {
    key: [u8; 32],
    fields: [u8; 32],
}

/// What a guard in the way of a creation says of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It was this very creation.
    Repeated,
    /// It had the same key and other fields.
    Reused,
    /// It was another one, or too long ago.
    Other,
}

/// The call's key, if it sent one.
///
/// # Errors
/// [`Error::Invalid`] where it is not 1 to 255 printable ASCII characters, or came twice.
pub fn read_key(call: &Call) -> Result<Option<&str>> {
    let key = call.single_header("idempotency-key").map_err(|()| Error::invalid(FIELD, MALFORMED))?;
    let fits = |key: &str| (1..=MAX_LENGTH).contains(&key.len()) && key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match key {
        Some(key) if !fits(key) => Err(Error::invalid(FIELD, MALFORMED)),
        key => Ok(key),
    }
}

const FIELD: &str = "Idempotency-Key";
const MALFORMED: &str = "Must be 1 to 255 printable ASCII characters.";

impl Idempotency {
    /// Of a key and the fields that came with it.
    #[must_use]
    pub fn new(key: &str, profile: &[(&'static str, String)]) -> Self {
        let fields: Vec<Value> = profile.iter().map(|(name, value)| Value::from(vec![*name, value.as_str()])).collect();
        Self {
            key: Sha256::digest(key.as_bytes()).into(),
            fields: Sha256::digest(Value::from(fields).to_string().as_bytes()).into(),
        }
    }

    /// The attributes by which the guard knows the creation again.
    #[must_use]
    pub fn attributes(&self, now: Timestamp) -> Item {
        item([
            ("idempotency_key", bytes(self.key)),
            ("idempotency_fields", bytes(self.fields)),
            ("idempotent_until", number((now + KEPT).as_millis())),
        ])
    }

    /// What the guard says of the creation that made it.
    #[must_use]
    pub fn compare(&self, guard: &Item, now: Timestamp) -> Earlier {
        let kept = guard.timestamp("idempotent_until").is_some_and(|until| now < until);
        if !kept || guard.bytes("idempotency_key") != Some(&self.key) {
            Earlier::Other
        } else if guard.bytes("idempotency_fields") == Some(&self.fields) {
            Earlier::Repeated
        } else {
            Earlier::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_is_known_again_by_key_and_fields_for_a_day() {
        let fields = |company: &str| vec![("company", company.to_owned())];
        let (one, made_at) = (Idempotency::new("k", &fields("A")), Timestamp::from_millis(1_000));
        let guard = one.attributes(made_at);
        assert_eq!(one.compare(&guard, made_at), Earlier::Repeated);
        assert_eq!(Idempotency::new("k", &fields("B")).compare(&guard, made_at), Earlier::Reused);
        assert_eq!(Idempotency::new("l", &fields("A")).compare(&guard, made_at), Earlier::Other);
        assert_eq!(one.compare(&guard, made_at + KEPT), Earlier::Other);
        assert_eq!(one.compare(&Item::new(), made_at), Earlier::Other);
    }
}
