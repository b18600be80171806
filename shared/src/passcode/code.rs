//! The code itself: digits derived from a nonce under a pepper that the database does not hold.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::limits::DIGITS;
use crate::{config, id::Subject};

/// The variable that holds the pepper.
const VARIABLE: &str = "PEPPER";
/// What a reference looks like that CloudFormation was to replace by the secret.
const REFERENCE: &str = "{{resolve:";
/// Characters of the secret at least.
const SECRET_LENGTH: usize = 32;
/// Bytes kept of a guess's MAC; a set of them tells nothing without the pepper.
const GUESS_MAC_LENGTH: usize = 16;
/// Bytes of the secret's MAC in the name of a generation, so that two secrets never share a name.
const FINGERPRINT_LENGTH: usize = 4;

/// The secret key of passcodes. Items name its generation: a code of another one is dead.
pub struct Pepper {
    generation: String,
    secret: Vec<u8>,
}

impl Pepper {
    /// A pepper from `<generation>:<secret>`.
    ///
    /// # Errors
    /// When it has not that form, or is the reference to a secret rather than one. The value is not shown.
    pub fn parse(value: &str) -> Result<Self, lambda_runtime::Error> {
        if value.contains(REFERENCE) {
            let why =
                "is an unresolved reference, the same for everybody: what deployed this function did not replace it";
            return Err(format!("{VARIABLE} {why} by the secret.").into());
        }
        match value.split_once(':') {
            Some((generation, secret)) if !generation.is_empty() && secret.len() >= SECRET_LENGTH => {
                let mut pepper = Self { generation: String::new(), secret: secret.as_bytes().to_owned() };
                let fingerprint = pepper.mac(&[b"generation", generation.as_bytes()]);
                let fingerprint = fingerprint.iter().take(FINGERPRINT_LENGTH).map(|byte| format!("{byte:02x}"));
                pepper.generation = format!("{generation}-{}", fingerprint.collect::<String>());
                Ok(pepper)
            }
            _ => Err(format!("{VARIABLE} is not <generation>:<secret of {SECRET_LENGTH} characters or more>.").into()),
        }
    }

    /// Reads `PEPPER`.
    ///
    /// # Errors
    /// Says what is missing or wrong; never shows the value.
    pub fn from_env() -> Result<Self, lambda_runtime::Error> {
        Self::parse(&config::required(VARIABLE)?)
    }

    /// What items name this pepper by: its number, and a fingerprint of the secret. A rotation that is rolled back
    /// generates a third secret under the first one's number, and its codes must not be taken for the first one's.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// The code of this nonce, for this customer of this App. Of what names them the epoch is no part.
    #[must_use]
    pub fn code(&self, nonce: &[u8], whose: &Subject) -> Passcode {
        let Subject { app, cuid, .. } = whose;
        let mac = self.mac(&[b"passcode", nonce, app.as_str().as_bytes(), cuid.as_str().as_bytes()]);
        // 64 bits hold every code so often that none is noticeably likelier than another.
        let number = mac.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let codes = (0..DIGITS).fold(1_u64, |codes, _| 10 * codes);
        Passcode(format!("{:0DIGITS$}", number % codes))
    }

    /// What is kept of a guess: enough to know it again, useless without the pepper.
    #[must_use]
    pub fn guess_mac(&self, guess: &Passcode, whose: &Subject) -> Vec<u8> {
        let Subject { app, cuid, .. } = whose;
        let mac = self.mac(&[b"guess", guess.0.as_bytes(), app.as_str().as_bytes(), cuid.as_str().as_bytes()]);
        mac[..GUESS_MAC_LENGTH].to_vec()
    }

    /// What a mailbox is known by where mails to it are counted.
    #[must_use]
    pub(super) fn mailbox_mac(&self, mailbox: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.mac(&[b"mailbox", mailbox.as_bytes()]))
    }

    /// HMAC-SHA-256 over the parts, each with its length before it, so that no two lists of parts are one message.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
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
        write!(f, "Pepper({}, …)", self.generation)
    }
}

/// Decimal digits in plain text: a code or a guess. Never logged, hence no `Display` and a redacted `Debug`.
#[derive(Clone)]
pub struct Passcode(String);

impl Passcode {
    /// Reads a guess: spaces and hyphens are ignored; `None` where the rest is not [`DIGITS`] digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|char| !char.is_whitespace() && *char != '-').collect();
        (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(Self(digits))
    }

    /// The digits alone, for whoever the code is for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
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
    use crate::id::{Cuid, Superkey};

    fn pepper(generation: &str, fill: &str) -> Pepper {
        Pepper::parse(&format!("{generation}:{}", fill.repeat(SECRET_LENGTH))).unwrap()
    }

    /// As many digits as a code has, with `between` between the halves.
    fn digits(between: &str) -> String {
        let half = "1234567890";
        format!("{}{between}{}", &half[..DIGITS / 2], &half[DIGITS / 2..DIGITS])
    }

    /// A customer of an App, by names that are filled up to the length of one.
    fn whose(app: &str, cuid: &str) -> Subject {
        let app = Superkey::parse(&format!("atomsk_{app:0<22}")).unwrap();
        Subject { app, cuid: Cuid::parse(&format!("{cuid:0<22}")).unwrap(), epoch: 0 }
    }

    #[test]
    fn no_two_lists_of_parts_are_one_message() {
        let pepper = pepper("1", "a");
        assert_ne!(pepper.mac(&[b"app", b"cuid"]), pepper.mac(&[b"appc", b"uid"]));
    }

    #[test]
    fn a_code_is_bound_to_nonce_app_customer_and_pepper() {
        let code = |fill, nonce: &[u8], app, cuid| pepper("1", fill).code(nonce, &whose(app, cuid));
        let one = code("a", b"nonce", "app", "cuid");
        assert!(one.matches(&code("a", b"nonce", "app", "cuid")));
        for other in [
            code("b", b"nonce", "app", "cuid"),
            code("a", b"other", "app", "cuid"),
            code("a", b"nonce", "other", "cuid"),
            code("a", b"nonce", "app", "other"),
        ] {
            assert!(!one.matches(&other));
        }
    }

    #[test]
    fn two_peppers_are_never_one_generation() {
        let name = |generation, fill| pepper(generation, fill).generation().to_owned();
        assert_eq!(name("1", "a"), name("1", "a"));
        assert_ne!(name("1", "a"), name("2", "a"));
        assert_ne!(name("1", "a"), name("1", "b"), "a secret that was generated anew under the same number");
        assert!(name("1", "a").starts_with("1-"));
    }

    #[test]
    fn the_derivation_never_changes() {
        // A change would kill every living code at the next deployment, as a change of DIGITS does.
        let code = pepper("1", "a").code(b"0123456789abcdef", &whose("x", "cuid"));
        assert_eq!((code.grouped().as_str(), pepper("1", "a").generation()), ("2625 2298", "1-0f83db1e"));
    }

    #[test]
    fn spaces_and_hyphens_in_a_guess_are_ignored() {
        for between in ["", " ", "-", "\u{a0}", " - "] {
            assert_eq!(Passcode::parse(&format!(" {}-", digits(between))).unwrap().grouped(), digits(" "));
        }
        let (shorter, longer) = (digits("")[1..].to_owned(), digits("1"));
        let letter = format!("{shorter}x");
        let arabic = "١".repeat(DIGITS);
        for text in ["", &*shorter, &*longer, &*letter, &*arabic] {
            assert!(Passcode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn neither_codes_nor_peppers_show_in_debug_output() {
        assert_eq!(format!("{:?}", Passcode::parse(&digits("")).unwrap()), "Passcode(…)");
        let pepper = pepper("1", "s");
        assert_eq!(format!("{pepper:?}"), format!("Pepper({}, …)", pepper.generation()));
        assert!(!format!("{pepper:?}").contains("ss"));
    }

    #[test]
    fn what_is_no_pepper_is_refused_without_being_shown() {
        let reference =
            format!("1:{REFERENCE}secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:x:SecretString:p}}}}");
        let refused = |value: &str| Pepper::parse(value).unwrap_err().to_string();
        assert_eq!(
            refused(&reference),
            "PEPPER is an unresolved reference, the same for everybody: what deployed this function did not replace it by \
             the secret."
        );
        for value in ["", "1", "1:short", &*format!(":{}", "s".repeat(SECRET_LENGTH)), &*"s".repeat(99)] {
            assert_eq!(refused(value), "PEPPER is not <generation>:<secret of 32 characters or more>.");
        }
    }
}
