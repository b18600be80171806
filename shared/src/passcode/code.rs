//! The code itself: eight digits derived from a nonce under a pepper that the database does not hold.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::config;

/// How many digits a passcode has.
const DIGITS: usize = 8;
/// Bytes kept of a guess's MAC; a set of five such tells nothing without the pepper.
const GUESS_MAC_LENGTH: usize = 16;

/// A secret key of passcodes, with the version by which items name it.
pub struct Pepper {
    version: String,
    secret: Vec<u8>,
}

impl Pepper {
    /// A pepper of slot `slot` from `<generation>:<secret>`.
    ///
    /// # Errors
    /// When it has not that form.
    pub fn parse(slot: &str, value: &str) -> Result<Self, lambda_runtime::Error> {
        match value.split_once(':') {
            Some((generation, secret)) if !generation.is_empty() && secret.len() >= 32 => {
                Ok(Self { version: format!("{slot}{generation}"), secret: secret.as_bytes().to_owned() })
            }
            _ => Err(format!("PEPPER_{slot} is not <generation>:<secret of 32 characters or more>.").into()),
        }
    }

    /// HMAC-SHA-256 over the parts, each with its length before it, so that no two lists of parts are one message.
    fn mac(&self, parts: [&[u8]; 4]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({}, …)", self.version)
    }
}

/// The pepper of new codes, and the one before it, whose codes live on for their minutes.
#[derive(Debug)]
pub struct Peppers {
    current: Pepper,
    other: Pepper,
}

impl Peppers {
    /// Two peppers.
    #[must_use]
    pub const fn new(current: Pepper, other: Pepper) -> Self {
        Self { current, other }
    }

    /// Reads `PEPPER_A`, `PEPPER_B`, and from `PEPPER_CURRENT` which of them new codes take.
    ///
    /// # Errors
    /// Names the variable that is missing or has not the right form; never shows its value.
    pub fn from_env() -> Result<Self, lambda_runtime::Error> {
        let a = Pepper::parse("A", &config::required("PEPPER_A")?)?;
        let b = Pepper::parse("B", &config::required("PEPPER_B")?)?;
        match config::required("PEPPER_CURRENT")?.as_str() {
            "A" => Ok(Self::new(a, b)),
            "B" => Ok(Self::new(b, a)),
            _ => Err("PEPPER_CURRENT is neither A nor B.".into()),
        }
    }

    /// The version of the pepper that new codes take.
    #[must_use]
    pub fn current_version(&self) -> &str {
        &self.current.version
    }

    fn of_version(&self, version: &str) -> Option<&Pepper> {
        [&self.current, &self.other].into_iter().find(|pepper| pepper.version == version)
    }

    /// The code of this nonce, for this customer of this App; `None` where no pepper of that version is left.
    #[must_use]
    pub fn code(&self, version: &str, nonce: &[u8], app: &str, cuid: &str) -> Option<Passcode> {
        let mac = self.of_version(version)?.mac([b"passcode", nonce, app.as_bytes(), cuid.as_bytes()]);
        // 64 bits modulo 10^8: no code is likelier than another by more than one part in 10^11.
        let number = mac.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Some(Passcode(format!("{:08}", number % 100_000_000)))
    }

    /// What is kept of a guess: enough to know it again, useless without the pepper. The first is the one to keep; by
    /// the second a guess is known that was counted under the other pepper, while a deployment changes them.
    #[must_use]
    pub fn guess_macs(&self, guess: &Passcode, app: &str, cuid: &str) -> [Vec<u8>; 2] {
        [&self.current, &self.other].map(|pepper| {
            let mac = pepper.mac([b"guess", guess.0.as_bytes(), app.as_bytes(), cuid.as_bytes()]);
            mac[..GUESS_MAC_LENGTH].to_vec()
        })
    }
}

/// Eight decimal digits in plain text: a code or a guess. Never logged, hence no `Display` and a redacted `Debug`.
#[derive(Clone)]
pub struct Passcode(String);

impl Passcode {
    /// Reads a guess: spaces and hyphens are ignored; `None` where the rest is not eight digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|char| !char.is_whitespace() && *char != '-').collect();
        (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(Self(digits))
    }

    /// The code as a mail shows it: `1234 5678`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (first, second) = self.0.split_at(DIGITS / 2);
        format!("{first} {second}")
    }

    /// Whether the two are the same, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passcode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peppers() -> Peppers {
        let pepper = |slot, fill: &str| Pepper::parse(slot, &format!("1:{}", fill.repeat(32))).unwrap();
        Peppers::new(pepper("A", "a"), pepper("B", "b"))
    }

    #[test]
    fn a_code_is_bound_to_nonce_app_customer_and_pepper() {
        let code = |version, nonce: &[u8], app, cuid| peppers().code(version, nonce, app, cuid).unwrap();
        let one = code("A1", b"nonce", "app", "cuid");
        assert!(one.matches(&code("A1", b"nonce", "app", "cuid")));
        for other in [
            code("B1", b"nonce", "app", "cuid"),
            code("A1", b"other", "app", "cuid"),
            code("A1", b"nonce", "appc", "uid"),
            code("A1", b"nonce", "app", "diuc"),
        ] {
            assert!(!one.matches(&other));
        }
        assert!(peppers().code("A2", b"nonce", "app", "cuid").is_none());
    }

    #[test]
    fn the_derivation_never_changes() {
        // A change would kill every living code at the next deployment.
        let code = peppers().code("A1", b"0123456789abcdef", "atomsk_x", "cuid").unwrap();
        assert_eq!(code.grouped(), "2468 1754");
    }

    #[test]
    fn spaces_and_hyphens_in_a_guess_are_ignored() {
        for text in ["12345678", "1234 5678", " 12-34-56-78 ", "1234\u{a0}5678"] {
            assert_eq!(Passcode::parse(text).unwrap().grouped(), "1234 5678");
        }
        for text in ["", "1234567", "123456789", "1234567x", "١٢٣٤٥٦٧٨"] {
            assert!(Passcode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn neither_codes_nor_peppers_show_in_debug_output() {
        assert_eq!(format!("{:?}", Passcode::parse("12345678").unwrap()), "Passcode(…)");
        assert_eq!(format!("{:?}", Pepper::parse("A", &format!("1:{}", "s".repeat(32))).unwrap()), "Pepper(A1, …)");
    }
}
