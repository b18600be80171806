//! Customers: the record, and the guard that holds an address for one customer of an App.
//!
//! Nothing here asks whose a customer is. [`crate::auth::App`] does, and it is the door to both.

mod mail;
mod writes;

pub use mail::{MailOutcome, MailStatus, Recipient, note_mail};
use serde_json::{Map, Value};
pub use writes::{as_read, change_profile, its_own, next_epoch, revoke_all, set_in_both};

use crate::{
    Timestamp,
    email::EmailAddress,
    id::{Cuid, Subject, Superkey},
    profile::{self, LANGUAGE},
    status::{STATUS, Status},
    store::{Attribute, Conditions, Item, ItemExt, Key, Table, Update, item, number, text},
};

/// A customer's record.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Whose record it is.
    pub subject: Subject,
    /// The address as typed.
    pub email: String,
    /// The fields that were given, in the order in which they are shown.
    pub profile: Vec<(&'static str, String)>,
    /// Whether a passcode that was mailed to this address has come back.
    pub email_verified: bool,
    /// What is known of mails to this address.
    pub mail: Option<MailOutcome>,
    /// Whether its own pairs, passcodes and tickets are taken.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The attribute of record and guard that is there once the address is proved.
pub const EMAIL_VERIFIED: &str = "email_verified";

/// [`EMAIL_VERIFIED`], where it is to be there.
fn verified_attribute(verified: bool) -> Option<(String, Attribute)> {
    verified.then(|| (EMAIL_VERIFIED.to_owned(), Attribute::Bool(true)))
}

/// What is known of mails, where anything is.
fn mail_attributes(mail: Option<MailOutcome>) -> impl Iterator<Item = (String, Attribute)> {
    MailOutcome::attributes(mail).into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// Where the record of a customer is.
#[must_use]
pub fn record_key(cuid: &Cuid) -> Key {
    Key::new(Table::Customers, "cuid", cuid.as_str())
}

/// Where the guard of an address in an App is.
#[must_use]
pub fn guard_key(superkey: &Superkey, address: &EmailAddress) -> Key {
    guard_key_of(superkey, &address.lookup_hash())
}

/// The same by the address's hash.
fn guard_key_of(superkey: &Superkey, address_hash: &str) -> Key {
    Key::new(Table::Directory, "app", superkey.as_str()).and("address", address_hash)
}

/// Whose an item of Customers or Directory is.
fn subject(item: &Item) -> Option<Subject> {
    Some(Subject {
        app: Superkey::parse(item.text("app")?)?,
        cuid: Cuid::parse(item.text("cuid")?)?,
        epoch: item.number("epoch")?,
    })
}

impl Customer {
    /// Reads a record, whichever App's it is: for the operator, and for doors that ask.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        let given = profile::field_names().filter_map(|name| Some((name, item.text(name)?.to_owned())));
        Some(Self {
            subject: subject(item)?,
            email: item.text("email")?.to_owned(),
            profile: given.collect(),
            email_verified: item.contains_key(EMAIL_VERIFIED),
            mail: MailOutcome::from_item(item),
            status: Status::of(item),
            created_at: item.timestamp("created_at")?,
        })
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut record = item([
            ("cuid", text(self.subject.cuid.as_str())),
            ("app", text(self.subject.app.as_str())),
            ("email", text(&self.email)),
            (STATUS, self.status.attribute()),
            ("epoch", number(self.subject.epoch)),
            ("created_at", number(self.created_at.as_millis())),
        ]);
        record.extend(verified_attribute(self.email_verified));
        record.extend(mail_attributes(self.mail));
        record.extend(self.profile.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
        record
    }

    /// The guard of this customer's address, as an item.
    #[must_use]
    pub fn to_guard_item(&self, address: &EmailAddress) -> Item {
        let mut guard = guard_key(&self.subject.app, address).attributes();
        guard.extend(item([
            ("cuid", text(self.subject.cuid.as_str())),
            ("email", text(&self.email)),
            (STATUS, self.status.attribute()),
            ("epoch", number(self.subject.epoch)),
        ]));
        guard.extend(verified_attribute(self.email_verified));
        guard.extend(mail_attributes(self.mail));
        if let Some(language) = self.field(LANGUAGE) {
            guard.insert(LANGUAGE.to_owned(), text(language));
        }
        guard
    }

    /// What was given of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.profile.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
    }

    /// Sets these fields, or takes them away.
    pub fn apply(&mut self, changes: &[(&'static str, Option<String>)]) {
        let value_of = |name: &'static str| match changes.iter().find(|(changed, _)| *changed == name) {
            Some((_, value)) => value.clone(),
            None => self.field(name).map(str::to_owned),
        };
        self.profile = profile::field_names().filter_map(|name| Some((name, value_of(name)?))).collect();
    }

    /// The record as a caller sees it: `cuid`, every field that was given, `created_at`,
    /// `email_verified`, and `mail` where mails do not arrive.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        let mut insert = |name: &str, value: &str| json.insert(name.to_owned(), value.into());
        insert("cuid", self.subject.cuid.as_str());
        insert("email", &self.email);
        for (name, value) in &self.profile {
            insert(name, value);
        }
        insert("created_at", &self.created_at.to_rfc3339());
        json.insert(EMAIL_VERIFIED.to_owned(), self.email_verified.into());
        json.extend(self.mail.and_then(MailOutcome::to_json).map(|mail| ("mail".to_owned(), mail)));
        Value::Object(json)
    }
}

/// What an App's directory says of an address: whose it is.
#[derive(Debug)]
pub struct Guard {
    /// The customer that has the address.
    pub subject: Subject,
    /// The address on record.
    pub address: EmailAddress,
    /// The language of the customer's mails, as given.
    pub language: Option<String>,
    /// Whether a passcode that was mailed to this address has come back.
    pub email_verified: bool,
    /// What is known of mails to this address.
    pub mail: Option<MailOutcome>,
    /// Whether the customer may be served.
    pub status: Status,
}

impl Guard {
    /// Whether a passcode that came back tells anything new of the address.
    pub(crate) fn is_to_be_verified(&self) -> bool {
        !self.email_verified || self.mail.is_some_and(MailOutcome::is_trouble)
    }

    /// The updates of record and guard by which the address on record becomes proved, if it is this customer's still. Mails
    /// to it arrive.
    #[must_use]
    pub fn verified_updates(&self, now: Timestamp) -> [Update; 2] {
        let Subject { app, cuid, .. } = &self.subject;
        let verified = || Attribute::Bool(true);
        let same_address = Conditions::default().equal("email", text(self.address.as_typed()));
        let arrives = |update: Update| match self.mail {
            Some(_) => MailOutcome { status: MailStatus::Arrives, at: now }.set_in(update),
            None => update,
        };
        [
            arrives(Update::of(&record_key(cuid)).set(EMAIL_VERIFIED, verified())).only_if(same_address),
            arrives(Update::of(&guard_key(app, &self.address)).set(EMAIL_VERIFIED, verified())).only_if(its_own(cuid)),
        ]
    }

    /// Reads a guard, whichever App's it is.
    pub(crate) fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            subject: subject(item)?,
            address: EmailAddress::on_record(item.text("email")?)?,
            language: item.text(LANGUAGE).map(str::to_owned),
            email_verified: item.contains_key(EMAIL_VERIFIED),
            mail: MailOutcome::from_item(item),
            status: Status::of(item),
        })
    }
}
