//! What no test may leave behind, looked for at the end of every one of them: secrets and addresses in a log or an error,
//! and tokens or passcodes in a table.

use std::collections::BTreeSet;

use local::{
    logs::Logs,
    mailbox::Mailbox,
    system::{Options, System},
};
use regex_lite::Regex;
use serde_json::Value;

use crate::support::passcode_in;

/// Prefixes of the tokens, which are shown once and stored as hashes.
const TOKENS: [&str; 4] = ["atomst_", "atompt_", "atomct_", "atomtk_"];

/// Looks at what a system wrote, when its test is over.
pub struct Watch {
    logs: Logs,
    mailbox: Mailbox,
    tables: local::dynamodb::Tables,
    peppers: Vec<String>,
}

impl Watch {
    pub fn new(system: &System, options: &Options) -> Self {
        let environment = system.backends.environment(&Value::Null, options);
        let secret = |name: &str| environment.get(name)?.split_once(':').map(|(_, secret)| secret.to_owned());
        Self {
            logs: system.logs.clone(),
            mailbox: system.backends.mailbox.clone(),
            tables: system.backends.tables.clone(),
            peppers: ["PEPPER_A", "PEPPER_B"].into_iter().filter_map(secret).filter(|it| !it.is_empty()).collect(),
        }
    }

    fn assert_nothing_leaked(&self) {
        let passcodes: BTreeSet<String> = self.mailbox.mails(None).iter().map(|mail| passcode_in(&mail.text)).collect();
        let secret = |text: &str| {
            let token = TOKENS.into_iter().find(|token| text.contains(token)).map(str::to_owned);
            let pepper = || self.peppers.iter().find(|pepper| text.contains(*pepper)).cloned();
            token.or_else(pepper).or_else(|| codes(text).find(|code| passcodes.contains(code)))
        };
        for line in self.logs.lines() {
            let leak = secret(&line.text).or_else(|| address(&line.text));
            assert!(leak.is_none(), "{} logs {leak:?}: {}", line.function, line.text);
        }
        for (table, items) in self.tables.dump().unwrap() {
            for item in items {
                let leak = secret(&item.to_string());
                assert!(leak.is_none(), "{table} holds {leak:?}: {item}");
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A test that has failed already has its own story to tell.
        if !std::thread::panicking() {
            self.assert_nothing_leaked();
        }
    }
}

/// Asserts that an error holds neither a secret nor an address.
#[track_caller]
pub fn assert_discreet(error: &str) {
    let token = TOKENS.into_iter().find(|leak| error.contains(leak)).map(str::to_owned);
    let leak = token.or_else(|| address(error));
    assert!(leak.is_none(), "an error holds {leak:?}: {error}");
}

/// Whatever could be an e-mail address or a part of one, also percent-encoded.
fn address(text: &str) -> Option<String> {
    let address = Regex::new(r"[^\s,;:<>]+(@|%40)[0-9A-Za-z.-]+").unwrap();
    Some(address.find(text)?.as_str().to_owned())
}

/// Whatever could be a passcode: eight digits on their own, with or without a space or a hyphen in the middle.
fn codes(text: &str) -> impl Iterator<Item = String> {
    let digits = Regex::new(r"\b\d{4}[ -]?\d{4}\b").unwrap();
    let found: Vec<_> = digits.find_iter(text).map(|found| found.as_str().replace([' ', '-'], "")).collect();
    found.into_iter()
}

#[test]
fn an_address_is_found_however_it_is_written() {
    for text in ["to <ada@example.com>", "GET /customer/ada%40example.com", "x=a.b+c@localhost;"] {
        assert!(address(text).is_some(), "{text}");
    }
    assert_eq!(address("ASCII letters, digits and `{|}~=, an @, and a domain name"), None);
}

#[test]
fn a_code_is_found_however_it_is_written_and_a_longer_number_is_none() {
    let found: Vec<_> = codes(r#"{"a":"1234 5678","b":87654321,"c":"x1111-2222","d":123456789} 3333-4444."#).collect();
    assert_eq!(found, ["12345678", "87654321", "33334444"]);
}
