//! The fixed, test-only records of `events/fixtures.json`, and the secrets that go with them.
//!
//! `cargo run -p tools -- fixtures > events/fixtures.json`; a test compares the file with this. The secrets in it are
//! readable, and their checksums wrong on purpose: no scanner takes them for real ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a generator that cannot go on has failed")]

use Status::{Active, Suspended};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use shared::{
    Timestamp,
    app::{AppRecord, Brand, Grant},
    copies,
    customer::{Customer, MailOutcome, MailStatus},
    email::EmailAddress,
    id::{Cuid, Platformkey, Subject, Superkey},
    passcode::{self, Pepper, limits::GUESSES_PER_PASSCODE},
    platform::PlatformRecord,
    status::Status,
    store::{Attribute, Item, ItemExt, bytes, item, number, text},
    token::TokenHash,
    tokens::Tokens,
};

/// 2026-01-01, when everything was made.
const CREATED: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// 2100-01-01, when nothing has expired yet.
const FUTURE: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// The test-only pepper that the passcodes are under, as the variable of that name holds it.
pub const PEPPER: &str = "1:test-only-pepper-00000000000000000000";

/// `name` filled up with zeros to the length of an id.
fn id(name: &str) -> String {
    format!("{name:0<22}")
}

/// A token of this name: the right length, a wrong checksum.
fn token(prefix: &str, name: &str) -> String {
    format!("{prefix}TESTONLY{name:0<35}000000")
}

fn cuid(name: &str) -> Cuid {
    Cuid::parse(&id(name)).unwrap()
}

fn superkey(name: &str) -> Superkey {
    Superkey::parse(&format!("atomsk_{}", id(name))).unwrap()
}

fn platformkey(name: &str) -> Platformkey {
    Platformkey::parse(&format!("atompk_{}", id(name))).unwrap()
}

fn hash(prefix: &str, name: &str) -> TokenHash {
    TokenHash::of(&token(prefix, name))
}

/// Every record, by table.
#[must_use]
pub fn all() -> Value {
    let json = |items: Vec<Item>| items.iter().map(to_json).collect::<Vec<_>>();
    json!({
        "AppsTable": json(apps().into_iter().chain(platforms()).flat_map(|record| with_copies(&record)).collect()),
        "CustomersTable": json(customers().iter().map(|(customer, _)| customer.to_item()).collect()),
        "DirectoryTable": json(customers().iter().map(|(customer, address)| customer.to_guard_item(address)).collect()),
        "CredentialsTable": json(credentials()),
        "PasscodesTable": json(passcodes()),
        "TicketsTable": json(tickets()),
    })
}

fn apps() -> Vec<Item> {
    let app = |name: &str, grants: &[Grant], platform: Option<&str>, brand: Option<Brand>, status| {
        let record = AppRecord {
            superkey: superkey(name),
            name: format!("{name} App"),
            grants: grants.to_vec(),
            platform: platform.map(platformkey),
            brand,
            is_test: name == "Test",
            mails_per_day: None,
            tenant: None,
            sender: None,
            is_mail_suspended: false,
            status,
            tokens: Tokens::new(hash("atomst_", name)),
            cursor_key: format!("test-only-cursor-key-of-{name:0<8}").into_bytes(),
            created_at: CREATED,
        };
        record.to_item()
    };
    let all = Grant::ALL;
    let brand = Brand {
        name: "Acme".to_owned(),
        from_name: Some("Acme Accounts".to_owned()),
        reply_to: Some("help@acme.example".to_owned()),
        colour: Some("#0b5fff".to_owned()),
        logo_url: None,
        support_email: Some("help@acme.example".to_owned()),
        language: None,
        site: None,
    };
    vec![
        app("Demo", &all, Some("Demo"), Some(brand), Active),
        app("Bare", &[], None, None, Active),
        app("Suspended", &all, Some("Demo"), None, Suspended),
        app("Other", &all, Some("Other"), None, Active),
        app("Test", &all, None, None, Active),
    ]
}

/// A record and its copies. The bare App is as version 0.1 wrote it, without any.
fn with_copies(record: &Item) -> Vec<Item> {
    let is_older = record.text("name") == Some("Bare App");
    let copies = copies::of(record).into_iter().filter(|_| !is_older);
    copies.chain([record.clone()]).collect()
}

fn platforms() -> Vec<Item> {
    let platform = |name: &str, url: &str| {
        let record = PlatformRecord {
            platformkey: platformkey(name),
            name: format!("{name} platform"),
            url: url::Url::parse(url).unwrap(),
            status: Active,
            tokens: Tokens::new(hash("atompt_", name)),
            created_at: CREATED,
        };
        record.to_item()
    };
    vec![platform("Demo", "https://platform.example/login?from=api"), platform("Other", "https://other.example/")]
}

fn customers() -> Vec<(Customer, EmailAddress)> {
    let customer = |name: &str, app: &str, email: &str, profile: &[(&'static str, &str)], status, epoch| {
        let profile = profile.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        let subject = Subject { app: superkey(app), cuid: cuid(name), epoch };
        let address = EmailAddress::parse(email).unwrap();
        (
            Customer {
                subject,
                email: email.to_owned(),
                profile,
                email_verified: false,
                mail: (name == "Lost").then_some(MailOutcome { status: MailStatus::Bounced, at: FUTURE }),
                status,
                created_at: CREATED,
            },
            address,
        )
    };
    let everything = [
        ("company", "Analytical Engines"),
        ("name", "Ada Lovelace"),
        ("address", "12 St James's Square"),
        ("country", "GB"),
        ("city", "London"),
        ("zip", "SW1Y 4JH"),
        ("state", "England"),
        ("phone", "+44 20 7946 0000"),
        ("website", "https://engines.example/"),
        ("language", "en-GB"),
    ];
    let company = [("company", "Compilers")];
    vec![
        customer("Ada", "Demo", "Ada+work@Example.com", &everything, Active, 1),
        customer("Grace", "Demo", "grace@example.com", &company, Suspended, 0),
        customer("Max", "Demo", "max@bücher.example", &company, Active, 0),
        customer("Alan", "Other", "alan@example.com", &company, Active, 0),
        customer("Tess", "Test", "tess@example.com", &company, Active, 0),
        customer("Lost", "Test", "lost@example.com", &company, Active, 0),
    ]
}

fn credentials() -> Vec<Item> {
    let pair = |name: &str, cuid: &str, epoch: u64, expires_at: Timestamp, revoked: bool| {
        let mut item = item([
            ("key", text(format!("atomck_{}{}", id(cuid), id(name)))),
            ("token_hash", bytes(*hash("atomct_", name).as_bytes())),
            ("cuid", text(id(cuid))),
            ("app", text(superkey("Demo").as_str())),
            ("epoch", number(epoch)),
            ("issued_at", number(CREATED.as_millis())),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", number(FUTURE.as_millis() / 1000)),
        ]);
        if revoked {
            item.insert("revoked_at".to_owned(), number(CREATED.as_millis()));
        }
        item
    };
    vec![
        pair("Valid", "Ada", 1, FUTURE, false),
        pair("Expired", "Ada", 1, CREATED, false),
        pair("Revoked", "Ada", 1, FUTURE, true),
        pair("EarlierEpoch", "Ada", 0, FUTURE, false),
        pair("OfSuspended", "Grace", 0, FUTURE, false),
    ]
}

/// Ada has a living passcode, and Max an exhausted one.
fn passcodes() -> Vec<Item> {
    let passcode = |email: &str, cuid: &str, tried: usize| {
        let address = EmailAddress::parse(email).unwrap();
        let mut record = passcode::record_key(&superkey("Demo"), &address).attributes();
        record.extend(item([
            ("cuid", text(id(cuid))),
            ("nonce", bytes(*b"test-only-nonce-")),
            ("pepper", text(Pepper::parse(PEPPER).unwrap().generation())),
            ("expires_at", number(FUTURE.as_millis())),
            ("mailed_at", number(CREATED.as_millis())),
            ("claim", bytes(*b"test-only-claim-")),
            ("mails", AttributeValue::L(vec![number(CREATED.as_millis())])),
            ("ttl", number(FUTURE.as_millis() / 1000)),
        ]));
        if tried > 0 {
            let macs = (0..tried).map(|guess| vec![u8::try_from(guess).unwrap(); 16].into()).collect();
            record.insert("tried".to_owned(), AttributeValue::Bs(macs));
            record.insert("failures".to_owned(), number(tried as u64));
            record.insert("last_guess_at".to_owned(), number(CREATED.as_millis()));
        }
        record
    };
    vec![passcode("ada+work@example.com", "Ada", 0), passcode("max@bücher.example", "Max", GUESSES_PER_PASSCODE)]
}

fn tickets() -> Vec<Item> {
    let ticket = |name: &str, app: &str, platform: &str, cuid: &str, epoch: u64, expires_at: Timestamp| {
        let presented = token(&format!("atomtk_{}{}", id(app), id(cuid)), name);
        let customer = customers().into_iter().find(|(customer, _)| customer.subject.cuid.as_str() == id(cuid));
        item([
            ("hash", text(TokenHash::of(&presented).to_key())),
            ("app", text(superkey(app).as_str())),
            ("platform", text(platformkey(platform).as_str())),
            ("cuid", text(id(cuid))),
            ("epoch", number(epoch)),
            ("address", text(customer.unwrap().1.lookup_hash())),
            ("return_to", text("/campaigns/7?tab=spend")),
            ("state", text("test-only-state")),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", number(FUTURE.as_millis() / 1000)),
        ])
    };
    vec![
        ticket("Valid", "Demo", "Demo", "Ada", 1, FUTURE),
        ticket("Expired", "Demo", "Demo", "Ada", 1, CREATED),
        ticket("EarlierEpoch", "Demo", "Demo", "Ada", 0, FUTURE),
        ticket("OfSuspended", "Demo", "Demo", "Grace", 0, FUTURE),
        ticket("Foreign", "Other", "Other", "Alan", 0, FUTURE),
    ]
}

/// An item in DynamoDB's JSON.
#[must_use]
pub fn to_json(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>())
}

fn attribute(value: &Attribute) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": BASE64_STANDARD.encode(bytes) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Bs(list) => {
            json!({ "BS": list.iter().map(|bytes| BASE64_STANDARD.encode(bytes)).collect::<Vec<_>>() })
        }
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": to_json(map) }),
        other => panic!("no fixture has a {other:?}"),
    }
}
