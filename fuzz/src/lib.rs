//! What is fuzzed: each function takes any bytes, gives them to a real handler over a real database, and panics where
//! the answer is not a documented one.
//!
//! `tests/corpus.rs` replays the corpora in every `cargo test`; `./check fuzz` looks for new inputs with libFuzzer.
#![expect(clippy::missing_panics_doc, reason = "to panic is how a finding is reported")]

mod world;

use serde_json::{Value, json};
use shared::{email::EmailAddress, passcode::Passcode};
pub use world::HANDLERS;
use world::{World, set_query};

/// A target, by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Each of them.
pub const TARGETS: [Target; 10] = [
    ("body", body),
    ("command", command),
    ("cursor", cursor),
    ("email", email),
    ("event", event),
    ("identifier", identifier),
    ("passcode", passcode),
    ("return_to", return_to),
    ("ticket", ticket),
    ("token", token),
];

/// An event as Lambda sends it, to each of the [`HANDLERS`].
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    World::with(|world| {
        for handler in HANDLERS {
            world.answer_event(handler, text);
        }
    });
}

/// The path's identifier, on each door that takes one.
pub fn identifier(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    World::with(|world| {
        for case in ["get-customer/by-its-app", "sso/redirected", "auth/right-passcode", "auth-nopasscode/issued"] {
            world.answer(case, |event| event["pathParameters"]["identifier"] = text.into());
        }
    });
}

/// An address: what is read is short, nothing that a header could be made of, and found again however it is written.
pub fn email(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(address) = EmailAddress::parse(text) else { return };
    assert_eq!(address.as_typed(), text);
    assert!(text.chars().count() <= 254 && text.contains('@'));
    assert!(!text.contains(|char: char| char.is_control() || " <>\",;()".contains(char)));
    for other in [text.to_ascii_uppercase(), text.to_ascii_lowercase()] {
        let other = EmailAddress::parse(&other).expect("case makes no difference");
        assert_eq!(other.lookup_hash(), address.lookup_hash());
    }
}

/// The body of a creation.
pub fn body(data: &[u8]) {
    World::with(|world| {
        world.answer("create-customer/created", |event| world::set_body(event, data));
    });
}

/// The cursor of a listing: none is taken but one that was sealed for this App.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    World::with(|world| {
        let reply = world.answer("list-customers/first-page", |event| set_query(event, "cursor", text));
        assert!(reply.is_none_or(|reply| reply.status != 200), "a cursor was taken that nobody sealed");
    });
}

/// Where single sign-on is to lead: to the platform, whatever is sent.
pub fn return_to(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    World::with(|world| {
        let reply = world.answer("sso/redirected", |event| set_query(event, "return_to", text));
        if let Some(location) = reply.and_then(|reply| reply.location) {
            let location = url::Url::parse(&location).expect("a URL");
            assert_eq!(location.origin().ascii_serialization(), "https://platform.example");
        }
    });
}

/// The token beside a key that exists: none but the right one is taken.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    World::with(|world| {
        let mut right = Value::Null;
        let reply = world.answer("list-customers/all", |event| {
            right = std::mem::replace(&mut event["headers"]["x-access-supertoken"], text.into());
        });
        assert!(reply.is_none_or(|reply| reply.status != 200 || right == text), "a wrong token was taken");
    });
}

/// A passcode as a customer types it.
pub fn passcode(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(passcode) = Passcode::parse(text) {
        assert!(Passcode::parse(&passcode.grouped()).is_some_and(|again| again.matches(&passcode)));
    }
    World::with(|world| {
        world.answer("auth/wrong-passcode", |event| set_query(event, "passcode", text));
    });
}

/// The body of a redemption.
pub fn ticket(data: &[u8]) {
    World::with(|world| {
        world.answer("redeem-ticket/redeemed", |event| world::set_body(event, data));
    });
}

/// A command: it is carried out or refused with a reason, and nothing of it is a failure of ours.
pub fn command(data: &[u8]) {
    let payload = serde_json::from_slice(data).unwrap_or_else(|_| json!(String::from_utf8_lossy(data)));
    World::with(|world| world.operate(payload));
}
