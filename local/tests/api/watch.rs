//! What no test may leave behind, looked for at the end of every one of them: secrets and addresses in a log or an error,
//! tokens or passcodes in a table, and a record that differs from its copies.

use std::collections::BTreeSet;

use local::{
    logs::Logs,
    mailbox::Mailbox,
    system::{Options, System},
};
use regex_lite::Regex;
use serde_json::Value;
use shared::passcode::limits::DIGITS;

use crate::{
    record_copies::difference,
    support::{passcode_in, shown_passcode},
};

/// Prefixes of the tokens, which are shown once and stored as hashes.
const TOKENS: [&str; 4] = ["atomst_", "atompt_", "atomct_", "atomtk_"];

/// Looks at what a system wrote, when its test is over.
pub struct Watch {
    logs: Logs,
    mailbox: Mailbox,
    tables: local::dynamodb::Tables,
    pepper: Option<String>,
}

impl Watch {
    pub fn new(system: &System, options: &Options) -> Self {
        let environment = system.backends.environment(&Value::Null, options);
        // A system of probes has none.
        let pepper = environment.get("PEPPER").map(|pepper| pepper.split_once(':').unwrap().1.to_owned());
        Self {
            logs: system.logs.clone(),
            mailbox: system.backends.mailbox.clone(),
            tables: system.backends.tables.clone(),
            pepper,
        }
    }

    fn assert_nothing_leaked(&self) {
        let passcodes: BTreeSet<String> = self.mailbox.mails(None).iter().map(|mail| passcode_in(&mail.text)).collect();
        let secret = |text: &str| {
            let token = TOKENS.into_iter().find(|token| text.contains(token)).map(str::to_owned);
            let pepper = || self.pepper.clone().filter(|pepper| text.contains(pepper));
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

    fn assert_copies(&self) {
        // A system of probes has no tables.
        if self.tables.names().iter().any(|name| name == "AppsTable") {
            assert_eq!(difference(&self.tables.items("AppsTable").unwrap()), None);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A test that has failed already has its own story to tell.
        if !std::thread::panicking() {
            self.assert_nothing_leaked();
            self.assert_copies();
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

/// Whatever could be a passcode: as many digits on their own, with or without a space or a hyphen in the middle.
fn codes(text: &str) -> impl Iterator<Item = String> {
    let digits = Regex::new(&shown_passcode("[ -]?")).unwrap();
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
    let code = |first: u32| format!("{first}{:0width$}", 7, width = DIGITS - 1);
    let (one, two, three, four) = (code(1), code(2), code(3), code(4));
    let halves = |code: &str, between: &str| format!("{}{between}{}", &code[..DIGITS / 2], &code[DIGITS / 2..]);
    let text = format!(
        r#"{{"a":"{}","b":{two},"c":"x{}","d":{four}0}} {}."#,
        halves(&one, " "),
        halves(&four, "-"),
        halves(&three, "-")
    );
    assert_eq!(codes(&text).collect::<Vec<_>>(), [one, two, three]);
}
