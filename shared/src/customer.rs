//! Customers: the record, and the guard that holds an address for one customer of an App.
//!
//! A look-up takes the App that asks, so another App's customer does not exist for it.

use serde_json::{Map, Value};

use crate::{
    Error, Result, Timestamp,
    app::status,
    auth::App,
    email::EmailAddress,
    profile,
    store::{Item, ItemExt, Key, NOBODY, Table, number, text},
    token::is_cuid,
};

/// A customer's record.
#[derive(Debug)]
pub struct Customer {
    /// Names the customer.
    pub cuid: String,
    /// The superkey of the App it belongs to.
    pub app: String,
    /// The address as typed.
    pub email: String,
    /// The fields that were given, in the order in which they are shown.
    pub profile: Vec<(&'static str, String)>,
    /// Whether its own pairs, passcodes and tickets are refused.
    pub suspended: bool,
    /// When all pairs were revoked last, in milliseconds since 1970; 0 if never. Pairs and tickets of another epoch are
    /// revoked.
    pub epoch: u64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Where the record of a `cuid` is; nowhere, where it has not the form of one.
#[must_use]
pub fn record_key(cuid: &str) -> Key {
    Key::new(Table::Customers, "cuid", if is_cuid(cuid) { cuid } else { NOBODY })
}

/// Where the guard of an address in an App is; nowhere, for what is no address.
#[must_use]
pub fn guard_key(superkey: &str, address: Option<&EmailAddress>) -> Key {
    let hash = address.map_or_else(|| NOBODY.to_owned(), EmailAddress::lookup_hash);
    Key::new(Table::Directory, "app", superkey).and("address", hash)
}

impl Customer {
    /// Reads a record.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        let given = profile::field_names().filter_map(|name| Some((name, item.text(name)?.to_owned())));
        Some(Self {
            cuid: item.text("cuid")?.to_owned(),
            app: item.text("app")?.to_owned(),
            email: item.text("email")?.to_owned(),
            profile: given.collect(),
            suspended: item.text("status")? != "active",
            epoch: item.number("epoch")?,
            created_at: item.timestamp("created_at")?,
        })
    }

    /// The customer of `app` that `item` holds.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] where there is none, or it is another App's.
    pub fn of(app: &App, item: Option<&Item>) -> Result<Self> {
        let customer = item.and_then(Self::from_item).filter(|customer| customer.app == app.superkey);
        customer.ok_or(Error::UserNotFound)
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let fixed = [
            ("cuid", text(&self.cuid)),
            ("app", text(&self.app)),
            ("email", text(&self.email)),
            ("status", status(self.suspended)),
            ("epoch", number(self.epoch)),
            ("created_at", number(self.created_at.as_millis())),
        ];
        let given = self.profile.iter().map(|(name, value)| (*name, text(value)));
        fixed.into_iter().chain(given).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The guard of this customer's address, as an item.
    #[must_use]
    pub fn to_guard_item(&self, address: &EmailAddress) -> Item {
        let mut item = guard_key(&self.app, Some(address)).attributes();
        let mut insert = |name: &str, value| item.insert(name.to_owned(), value);
        insert("cuid", text(&self.cuid));
        insert("email", text(&self.email));
        insert("status", status(self.suspended));
        insert("epoch", number(self.epoch));
        if let Some(country) = self.country() {
            insert("country", text(country));
        }
        item
    }

    /// The customer's country, as given: mails speak its language, so the guard has it too.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.profile.iter().find(|(name, _)| *name == "country").map(|(_, country)| country.as_str())
    }

    /// The record as a caller sees it: `cuid`, every field that was given, `created_at`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        let mut insert = |name: &str, value: &str| json.insert(name.to_owned(), value.into());
        insert("cuid", &self.cuid);
        insert("email", &self.email);
        for (name, value) in &self.profile {
            insert(name, value);
        }
        insert("created_at", &self.created_at.to_rfc3339());
        Value::Object(json)
    }
}

/// What an App's directory says of an address: whose it is.
#[derive(Debug)]
pub struct Guard {
    /// The customer that has the address.
    pub cuid: String,
    /// The address on record.
    pub address: EmailAddress,
    /// The customer's country, as given.
    pub country: Option<String>,
    /// Whether the customer is suspended.
    pub suspended: bool,
    /// The customer's epoch.
    pub epoch: u64,
}

impl Guard {
    /// Reads a guard.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            cuid: item.text("cuid")?.to_owned(),
            address: EmailAddress::parse(item.text("email")?)?,
            country: item.text("country").map(str::to_owned),
            suspended: item.text("status")? != "active",
            epoch: item.number("epoch")?,
        })
    }

    /// The guard that `item` holds, of a customer who is not suspended. The caller read it under the App's own key.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] where there is none; [`Error::NotAllowed`] where the customer is suspended.
    pub fn active(item: Option<&Item>) -> Result<Self> {
        let guard = item.and_then(Self::from_item).ok_or(Error::UserNotFound)?;
        if guard.suspended { Err(Error::NotAllowed) } else { Ok(guard) }
    }
}
