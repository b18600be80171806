//! Tokens and tickets: how they are made, told apart, and kept.
//!
//! A *key* ([`crate::id`]) names who calls; a *token* is the secret that proves it. A token is shown once and kept as a
//! hash: 256 random bits need no slow hash. The prefixes never change, for secret scanners know tokens by prefix and
//! checksum.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::random;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of the random part of a token: 43 in base62 are 256 bits.
const SECRET_LENGTH: usize = 43;
/// Characters of a token's checksum: CRC-32 of all before it, in base62.
const CHECKSUM_LENGTH: usize = 6;

/// Whose secret a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A partner's App.
    App,
    /// An ATOM-powered platform.
    Platform,
    /// One customer.
    Customer,
}

impl Level {
    const fn prefix(self) -> &'static str {
        match self {
            Self::App => "atomst_",
            Self::Platform => "atompt_",
            Self::Customer => "atomct_",
        }
    }
}

/// What a ticket begins with.
pub const TICKET_PREFIX: &str = "atomtk_";

/// A secret in plain text: shown once, at issue. Never logged, hence no `Display` and a redacted `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new token of this level.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(level: Level) -> Result<Self, getrandom::Error> {
        Self::with_prefix(level.prefix())
    }

    /// A new SSO ticket, which holds where the records that it speaks of are.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new_ticket(pointers: &str) -> Result<Self, getrandom::Error> {
        Self::with_prefix(&format!("{TICKET_PREFIX}{pointers}"))
    }

    fn with_prefix(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut token = format!("{prefix}{}", base62(SECRET_LENGTH)?);
        let checksum = checksum(&token);
        token.push_str(&checksum);
        Ok(Self(token))
    }

    /// The secret itself, to hand it to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Serialising a token is showing it: only the replies that issue one hold it.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// SHA-256 of a token: what the database holds.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of whatever a caller presents.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// The hash that the database holds; `None` if those bytes are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash as text, for a key of a table.
    #[must_use]
    pub fn to_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether `presented` is the token of this hash, in constant time.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        self.0.ct_eq(&Self::of(presented).0).into()
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// `length` random characters of base62, each equally likely.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn base62(length: usize) -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let bytes: [u8; 64] = random::bytes()?;
        // 248 is the largest multiple of 62 in a byte; taking more would favour the first characters.
        let fair = bytes.iter().filter(|byte| **byte < 248).take(length - text.len());
        text.extend(fair.map(|byte| char::from(BASE62[usize::from(byte % 62)])));
    }
    Ok(text)
}

/// CRC-32 (IEEE) of `text` in base62, padded with `0` to six characters.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_level_and_carries_its_checksum() {
        for (level, prefix) in [(Level::App, "atomst_"), (Level::Platform, "atompt_"), (Level::Customer, "atomct_")] {
            let token = Token::new(level).unwrap();
            let (body, sum) = token.reveal().split_at(7 + SECRET_LENGTH);
            assert!(body.starts_with(prefix));
            assert_eq!(sum, checksum(body));
            assert_eq!(token.reveal().len(), 56);
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_scanners_compute() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262.
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn a_hash_knows_its_token_and_no_other() {
        let token = Token::new(Level::App).unwrap();
        assert!(token.hash().matches(token.reveal()));
        assert!(!token.hash().matches(&token.reveal()[..55]));
        assert!(!token.hash().matches(""));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let token = Token::new(Level::App).unwrap();
        assert_eq!(format!("{token:?} {:?}", token.hash()), "Token(…) TokenHash(…)");
    }

    #[test]
    fn every_character_of_base62_is_drawn() {
        let text = base62(20_000).unwrap();
        assert!(BASE62.iter().all(|byte| text.contains(char::from(*byte))));
    }
}
