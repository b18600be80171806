//! The cursor of a list: where to go on, sealed under a key of the App, so that only what we made is taken.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::{Error, Result};

/// The first byte of every cursor; another one is another version's.
const VERSION: u8 = 1;
/// Bytes of the seal.
const SEAL_LENGTH: usize = 16;

/// The sort key in the Directory of the last customer that was listed.
#[derive(Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

impl Cursor {
    /// The cursor as a caller gets it: base64url of version, seal and position.
    pub fn seal(&self, key: &[u8]) -> String {
        let seal = mac(key, &self.0).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&[VERSION], &seal[..SEAL_LENGTH], self.0.as_bytes()].concat())
    }

    /// Reads a cursor that this App was given.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is empty, forged, another App's or another version's.
    pub fn open(text: &str, key: &[u8]) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let position = match bytes.split_first() {
            Some((&VERSION, rest)) if rest.len() > SEAL_LENGTH => {
                let (seal, position) = rest.split_at(SEAL_LENGTH);
                let position = std::str::from_utf8(position).ok();
                position.filter(|position| mac(key, position).verify_truncated_left(seal).is_ok())
            }
            _ => None,
        };
        let position = position.ok_or_else(|| Error::invalid("cursor", "Must come from the Link header of a list."))?;
        Ok(Self(position.to_owned()))
    }
}

fn mac(key: &[u8], position: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update([VERSION]).chain_update(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_under_the_key_that_sealed_it_alone() {
        let sealed = Cursor("position".to_owned()).seal(b"one");
        assert_eq!(Cursor::open(&sealed, b"one").unwrap(), Cursor("position".to_owned()));
        assert!(Cursor::open(&sealed, b"two").is_err());
    }

    #[test]
    fn whatever_was_not_sealed_is_refused() {
        let sealed = Cursor("position".to_owned()).seal(b"one");
        let mut other_version = BASE64_URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        other_version[0] = 2;
        let other_version = BASE64_URL_SAFE_NO_PAD.encode(other_version);
        let changed = format!("{}A", &sealed[..sealed.len() - 1]);
        for text in ["", "A", "AQ", "position", "====", &changed, &other_version, &sealed[..20]] {
            assert!(Cursor::open(text, b"one").is_err(), "{text}");
        }
    }
}
