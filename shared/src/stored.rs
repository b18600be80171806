//! What is stored is read for ever. `tests/stored.json` has one record of each kind as it was stored once, with every
//! attribute that one may have, and is not written anew: a record that calls an attribute something else now reads the old
//! name too.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{
    app::AppRecord,
    copies,
    credential::{Credential, IssuedPair},
    customer::{Customer, Guard},
    email::EmailAddress,
    passcode::State,
    platform::PlatformRecord,
    store::{Attribute, Item, bytes, text},
    ticket::Ticket,
};

/// How a record is read, in words, and which of its attributes nobody reads.
type Kind = (&'static str, fn(&Item) -> Option<String>, &'static [&'static str]);

const KINDS: [Kind; 9] = [
    ("app", |item| AppRecord::from_item(item).map(|it| format!("{it:?}")), &[]),
    ("platform", |item| PlatformRecord::from_item(item).map(|it| format!("{it:?}")), &[]),
    // The operator's function reads which version of a record it replaces.
    ("app_copy", |item| AppRecord::from_item(item).map(|it| format!("{it:?}")), &["version"]),
    ("platform_copy", |item| PlatformRecord::from_item(item).map(|it| format!("{it:?}")), &["version"]),
    ("customer", |item| Customer::from_item(item).map(|it| format!("{it:?}")), &[]),
    // The address in its key is a hash.
    ("guard", |item| Guard::from_item(item).map(|it| format!("{it:?}")), &["address"]),
    // Its key has led to it, and names the customer.
    (
        "credential",
        |item| Credential::from_item(item).map(|it| format!("{it:?}")),
        &["key", "cuid", "app", "issued_at", "ttl"],
    ),
    ("passcode", |item| Some(format!("{:?}", State::from_item(Some(item)))), &["id", "ttl"]),
    ("ticket", |item| Ticket::from_item(item).map(|it| format!("{it:?}")), &["hash", "ttl"]),
];

fn attribute(value: &Value) -> Attribute {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let binary = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let list = || value.as_array().unwrap().iter();
    match kind.as_str() {
        "S" => text(value.as_str().unwrap()),
        "N" => Attribute::N(value.as_str().unwrap().to_owned()),
        "B" => bytes(binary(value)),
        "BOOL" => Attribute::Bool(value.as_bool().unwrap()),
        "SS" => Attribute::Ss(list().map(|it| it.as_str().unwrap().to_owned()).collect()),
        "BS" => Attribute::Bs(list().map(|it| binary(it).into()).collect()),
        "L" => Attribute::L(list().map(attribute).collect()),
        "M" => Attribute::M(item(value)),
        other => panic!("no record has a {other}"),
    }
}

fn item(value: &Value) -> Item {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// The record of this kind.
fn stored(kind: &str) -> Item {
    let stored: BTreeMap<String, Value> = serde_json::from_str(include_str!("../tests/stored.json")).unwrap();
    item(&stored[kind])
}

#[test]
fn every_attribute_that_was_ever_stored_is_read() {
    for (kind, read, unread) in KINDS {
        let whole = stored(kind);
        let seen = read(&whole);
        assert!(seen.is_some(), "a stored {kind} is none any more");
        for name in whole.keys().filter(|name| !unread.contains(&name.as_str())) {
            let mut without = whole.clone();
            without.remove(name);
            assert_ne!(read(&without), seen, "nothing reads {name} of a stored {kind}");
        }
        for (name, value) in &whole {
            let Attribute::M(parts) = value else { continue };
            for part in parts.keys() {
                let (mut without, mut parts) = (whole.clone(), parts.clone());
                parts.remove(part);
                without.insert(name.clone(), Attribute::M(parts));
                assert_ne!(read(&without), seen, "nothing reads {part} in {name} of a stored {kind}");
            }
        }
    }
}

fn shown(record: Option<impl Debug>) -> String {
    format!("{:?}", record.unwrap())
}

#[test]
fn what_is_written_is_read() {
    let app = AppRecord::from_item(&stored("app")).unwrap();
    assert_eq!(shown(AppRecord::from_item(&app.to_item())), format!("{app:?}"));
    let platform = PlatformRecord::from_item(&stored("platform")).unwrap();
    assert_eq!(shown(PlatformRecord::from_item(&platform.to_item())), format!("{platform:?}"));
    for copy in copies::of(&app.to_item()) {
        assert_eq!(shown(AppRecord::from_item(&copy)), format!("{app:?}"));
    }
    for copy in copies::of(&platform.to_item()) {
        assert_eq!(shown(PlatformRecord::from_item(&copy)), format!("{platform:?}"));
    }
    let customer = Customer::from_item(&stored("customer")).unwrap();
    assert_eq!(shown(Customer::from_item(&customer.to_item())), format!("{customer:?}"));
    let address = EmailAddress::on_record(&customer.email).unwrap();
    let guard = Guard::from_item(&stored("guard"));
    assert_eq!(shown(Guard::from_item(&customer.to_guard_item(&address))), shown(guard));
    let ticket = Ticket { redeemed: false, ..Ticket::from_item(&stored("ticket")).unwrap() };
    assert_eq!(shown(Ticket::from_item(&ticket.issue().unwrap().1)), format!("{ticket:?}"));
    let (pair, item) = IssuedPair::new(&customer.subject, customer.created_at, Duration::from_secs(1)).unwrap();
    let read = Credential::from_item(&item).unwrap();
    assert!(read.accepts(pair.token.reveal(), customer.subject.epoch, customer.created_at));
}
