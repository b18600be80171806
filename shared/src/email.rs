//! E-mail addresses: one grammar on every door, as `openapi.yaml` describes it.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use sha2::{Digest, Sha256};

use crate::visible::is_unseen;

/// What an address that is refused is told, on every door alike.
pub const GRAMMAR: &str = "Must be an e-mail address: up to 64 ASCII letters, digits and !$%&'*+-.^_`{|}~= (no dot at \
                           either end or two in a row), an @, and a domain name such as example.com; at most 254 \
                           characters.";

/// The names under which nobody has a mailbox.
const RESERVED: [&str; 6] = ["example.com", "example.net", "example.org", "example", "test", "invalid"];

/// An address that mail can be sent to, and by which a customer is found.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    typed: String,
    deliverable: String,
}

impl EmailAddress {
    /// Reads an address: an ASCII dot-atom of at most 64 characters without `/ ? #`, an `@`, and a domain by UTS-46
    /// without a trailing dot; at most 254 characters, as typed and with the domain in its ASCII form.
    ///
    /// The domain has two labels or more, of which the last is not a number: mail reaches no other. It has no character that
    /// UTS-46 drops because nobody sees it: what is shown would not be what mail goes to.
    ///
    /// `None` where `text` is no such address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::on_record(text).filter(Self::can_be_reached).filter(Self::is_as_it_looks)
    }

    /// Reads an address of a record. Version 0.1 took domains that no mail reaches or with characters that nobody sees, and
    /// their customers can still be changed and erased.
    #[must_use]
    pub fn on_record(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        if local.len() > 64 || !local.split('.').all(is_atom) {
            return None;
        }
        let domain = ascii_domain(domain)?;
        let deliverable = format!("{local}@{domain}");
        (deliverable.len() <= 254 && text.chars().count() <= 254).then(|| Self { typed: text.to_owned(), deliverable })
    }

    fn can_be_reached(&self) -> bool {
        let domain = self.deliverable.split_once('@').map_or("", |(_, domain)| domain);
        let is_number = |label: &str| {
            let digits = label.strip_prefix("0x").unwrap_or(label);
            digits.bytes().all(|byte| byte.is_ascii_digit())
                || digits != label && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        domain.rsplit_once('.').is_some_and(|(_, last)| !is_number(last))
    }

    /// U+200C and U+200D, which some scripts are not written without, are letters' business and of the domain's ASCII form.
    fn is_as_it_looks(&self) -> bool {
        !self.typed.chars().any(|char| is_unseen(char) && !matches!(char, '\u{200c}' | '\u{200d}'))
    }

    /// The address as its owner typed it, for display.
    #[must_use]
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// The address that mail goes to: the local part as typed, the domain in ASCII form.
    #[must_use]
    pub fn deliverable(&self) -> &str {
        &self.deliverable
    }

    /// The mailbox that the address leads to, as far as anybody can tell: in lower case, without `+tag`.
    #[must_use]
    pub fn mailbox(&self) -> String {
        let address = self.deliverable.to_ascii_lowercase();
        let (local, domain) = address.split_once('@').unwrap_or_default();
        match local.split_once('+') {
            Some((mailbox, _)) if !mailbox.is_empty() => format!("{mailbox}@{domain}"),
            _ => address,
        }
    }

    /// Whether it is under a name that is reserved for examples and tests, which no mail reaches (RFC 2606).
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let (_, domain) = self.deliverable.split_once('@').unwrap_or_default();
        let is_under =
            |name: &&str| domain.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        RESERVED.iter().any(is_under)
    }

    /// What two spellings of one address have in common: SHA-256 of the deliverable form in lower case, in base64url.
    ///
    /// A hash, so that no address stands in a table's key, a cursor or a URL that we make.
    #[must_use]
    pub fn lookup_hash(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.deliverable.to_ascii_lowercase().as_bytes()))
    }
}

/// Addresses are personal data, and `Debug` ends up in logs.
impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// An atom of RFC 5322, less the characters that a path cannot hold (`/ ? #`).
fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!$%&'*+-=^_`{|}~".contains(&byte))
}

/// The domain in ASCII form, lower case; `None` where UTS-46 refuses it, for literals (`[`) and a trailing dot.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(text: &str) -> String {
        EmailAddress::parse(text).unwrap_or_else(|| panic!("{text} is an address")).lookup_hash()
    }

    #[test]
    fn an_address_is_compared_without_case_and_with_its_domain_in_ascii() {
        assert_eq!(hash("Ada.Lovelace@Example.COM"), hash("ada.lovelace@example.com"));
        assert_eq!(hash("ada@Bücher.example"), hash("ADA@xn--bcher-kva.example"));
        assert_ne!(hash("ada+news@example.com"), hash("ada@example.com"));
    }

    #[test]
    fn a_tag_leads_to_the_same_mailbox() {
        let mailbox = |text: &str| EmailAddress::parse(text).unwrap().mailbox();
        for text in
            ["ada@bücher.example", "Ada@Bücher.Example", "ada+1@xn--bcher-kva.example", "ada+a+b@bücher.example"]
        {
            assert_eq!(mailbox(text), "ada@xn--bcher-kva.example");
        }
        assert_eq!(mailbox("+ada@example.com"), "+ada@example.com");
    }

    #[test]
    fn names_for_tests_are_told_from_others() {
        let reserved = |text: &str| EmailAddress::parse(text).unwrap().is_reserved();
        for text in ["a@example.com", "a@x.Example.NET", "a@example.org", "a@b.example", "a@b.test", "a@x.y.invalid"] {
            assert!(reserved(text), "{text}");
        }
        for text in ["a@notexample.com", "a@example.de", "a@example.com.evil.com", "a@latest", "a@b.contest"] {
            assert!(EmailAddress::parse(text).is_none_or(|address| !address.is_reserved()), "{text}");
        }
    }

    #[test]
    fn it_is_kept_as_typed_and_mailed_in_ascii() {
        let address = EmailAddress::parse("Ada+X@Bücher.Example").unwrap();
        assert_eq!(address.as_typed(), "Ada+X@Bücher.Example");
        assert_eq!(address.deliverable(), "Ada+X@xn--bcher-kva.example");
    }

    #[test]
    fn it_may_be_254_characters_long_and_no_longer() {
        let domain = format!("{0}.{0}.{0}", "d".repeat(60));
        let local = "l".repeat(64);
        let longest = format!("{local}@{domain}.abcdef");
        assert_eq!(longest.len(), 254);
        assert!(EmailAddress::parse(&longest).is_some());
        assert!(EmailAddress::parse(&format!("{longest}g")).is_none());
        assert!(EmailAddress::parse(&format!("l{local}@example.com")).is_none());
        let invisible = format!("l@{}example.com", "\u{ad}".repeat(250));
        assert!(EmailAddress::parse(&invisible).is_none() && EmailAddress::on_record(&invisible).is_none());
    }

    #[test]
    fn its_domain_is_what_it_looks_like() {
        for unseen in ["\u{ad}", "\u{200b}", "\u{2060}", "\u{feff}", "\u{180e}", "\u{fe0f}"] {
            let text = format!("ada@exam{unseen}ple.com");
            assert!(EmailAddress::parse(&text).is_none(), "{text:?}");
        }
        // A Persian word whose letters are not joined in its middle.
        assert!(EmailAddress::parse("ada@نامه\u{200c}ای.example").is_some());
    }

    #[test]
    fn what_the_grammar_leaves_out_is_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a@b@c",
            "ada@example.com.",
            "ada@[127.0.0.1]",
            "\"ada\"@example.com",
            "ada/b@example.com",
            "ada?@example.com",
            "ada#@example.com",
            "ada(c)@example.com",
            "adä@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada @example.com",
            "ada@exa mple.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@exa_mple.com",
            "ada\n@example.com",
            "ada@example.com\r\nBcc: x",
            "ada@localhost",
            "ada@com",
            "ada@1",
            "ada@127.0.0.1",
            "ada@example.1",
            "ada@example.0x7f",
        ] {
            assert!(EmailAddress::parse(text).is_none(), "{text:?} is refused");
        }
    }

    #[test]
    fn an_address_of_an_old_record_is_read() {
        for text in ["ada@localhost", "ada@127.0.0.1", "ada@exam\u{ad}ple.com", "ada@example.com"] {
            assert_eq!(EmailAddress::on_record(text).unwrap().as_typed(), text);
        }
    }

    #[test]
    fn every_character_of_a_dot_atom_but_three_is_taken() {
        assert!(EmailAddress::parse("a!$%&'*+-=^_`{|}~9.B@example.com").is_some());
    }

    #[test]
    fn an_address_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", EmailAddress::parse("ada@example.com")), "Some(EmailAddress(…))");
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_without_a_panic_and_reads_back_alike(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Some(address) = EmailAddress::parse(&text) {
                prop_assert!(address.deliverable().is_ascii());
                let again = EmailAddress::parse(address.deliverable()).expect("the ASCII form is an address");
                prop_assert_eq!(again.lookup_hash(), address.lookup_hash());
            }
        }
    }
}
