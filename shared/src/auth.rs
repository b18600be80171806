//! Who calls, and whom they may speak of.
//!
//! A function reads what was presented, fetches the record that the key names beside whatever else it needs, and only
//! [`AppCredentials::verify`] and its like turn that record into a caller: privilege is a value. An [`App`] is the door
//! to its customers. `openapi.yaml` tells the order of the checks, their statuses and texts.

use std::ops::Deref;

use crate::{
    Error, Result, Timestamp,
    app::{self, AppRecord, Grant},
    credential::{self, Credential},
    customer::{self, Customer, Guard},
    http::Call,
    id::{CustomerKey, Platformkey, Superkey},
    platform::{self, PlatformRecord},
    store::{Item, Key},
};

/// The names of each credential in the query string. The platform's older pages spell some in another way.
const QUERY_NAMES: [&[&str]; 4] = [&SUPERKEY, &SUPERTOKEN, &["key"], &["token"]];
const SUPERKEY: [&str; 2] = ["superkey", "superKey"];
const SUPERTOKEN: [&str; 2] = ["supertoken", "superToken"];

/// What the deployment allows: `AllowQueryCredentials`.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether keys and tokens are read from the query string too.
    pub allow_query_credentials: bool,
}

impl Policy {
    /// Reads `ALLOW_QUERY_CREDENTIALS`.
    ///
    /// # Errors
    /// Names the variable when it is missing or neither `true` nor `false`.
    pub fn from_env() -> Result<Self, lambda_runtime::Error> {
        Ok(Self { allow_query_credentials: crate::config::switch("ALLOW_QUERY_CREDENTIALS")? })
    }

    fn check(self, call: &Call) -> Result<()> {
        for names in QUERY_NAMES {
            match in_query(call, names).count() {
                0 => {}
                _ if !self.allow_query_credentials => return Err(Error::QueryCredentials),
                1 => {}
                _ => return Err(Error::RepeatedCredential),
            }
        }
        Ok(())
    }
}

/// A key and a token as presented, not yet checked.
struct Pair<K> {
    key: K,
    token: String,
}

/// Where one level's key and token may stand: headers, and names in the query string.
struct Places {
    headers: [&'static str; 2],
    query: Option<[&'static [&'static str]; 2]>,
}

impl Places {
    /// Whether a call has anything there.
    fn are_used(&self, call: &Call) -> Result<bool> {
        Ok(self.values(call)?.iter().any(Option::is_some))
    }

    /// Reads a pair; a header wins over the same name in the query string, and empty counts as missing. A key that has
    /// not the form of one is nobody's, and there is nothing to look up.
    fn read<K>(&self, call: &Call, parse: impl FnOnce(&str) -> Option<K>) -> Result<Pair<K>> {
        let [key, token] = self.values(call)?;
        let (key, token) = (key.ok_or(Error::MissingKey)?, token.ok_or(Error::MissingToken)?);
        Ok(Pair { key: parse(key).ok_or(Error::NoMatchingKey)?, token: token.to_owned() })
    }

    fn values<'a>(&self, call: &'a Call) -> Result<[Option<&'a str>; 2]> {
        let mut values = [call.header(self.headers[0])?, call.header(self.headers[1])?];
        if let Some(query) = self.query {
            for (value, names) in values.iter_mut().zip(query) {
                *value = value.or_else(|| in_query(call, names).find(|value| !value.is_empty()));
            }
        }
        Ok(values)
    }
}

/// The values in the query string under any of these names.
fn in_query<'a>(call: &'a Call, names: &[&'static str]) -> impl Iterator<Item = &'a str> {
    names.iter().flat_map(|name| call.query_values(name))
}

const APP: Places =
    Places { headers: ["x-access-superkey", "x-access-supertoken"], query: Some([&SUPERKEY, &SUPERTOKEN]) };
const CUSTOMER: Places = Places { headers: ["x-access-key", "x-access-token"], query: Some([&["key"], &["token"]]) };
const PLATFORM: Places = Places { headers: ["x-access-platformkey", "x-access-platformtoken"], query: None };

/// App-level credentials as presented.
pub struct AppCredentials(Pair<Superkey>);

impl AppCredentials {
    /// Reads them from a call.
    ///
    /// # Errors
    /// In this order: query credentials where they are not allowed, a repeated one, a missing key, a missing token, a
    /// key that cannot exist.
    pub fn read(call: &Call, policy: Policy) -> Result<Self> {
        policy.check(call)?;
        APP.read(call, Superkey::parse).map(Self)
    }

    /// The App that they say they are of.
    #[must_use]
    pub const fn superkey(&self) -> &Superkey {
        &self.0.key
    }

    /// Where to read the App's record.
    #[must_use]
    pub fn record_key(&self) -> Key {
        app::any_key(&self.0.key)
    }

    /// The App that calls, if `record` (what is at [`Self::record_key`]) says that the token is its. The call's log line
    /// names the App whose key was used, also where the token was wrong.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], [`Error::NotAllowed`], in this order.
    pub fn verify(&self, call: &Call, record: Option<&Item>, now: Timestamp) -> Result<App> {
        let record = record.and_then(AppRecord::from_item).ok_or(Error::NoMatchingKey)?;
        call.note_app(&record.superkey);
        if !record.tokens.accept(&self.0.token, now) {
            return Err(Error::InvalidToken);
        }
        if record.status.is_suspended() { Err(Error::NotAllowed) } else { Ok(App(record)) }
    }
}

/// An App that has proved who it is and is not suspended.
#[derive(Debug)]
pub struct App(AppRecord);

impl App {
    /// Goes on only where the App was provisioned for an endpoint.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] without the grant.
    pub fn require(self, grant: Grant) -> Result<Self> {
        if self.0.grants.contains(&grant) { Ok(self) } else { Err(Error::NotAllowed) }
    }

    /// The customer that `item` holds, if it is this App's.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] where there is none, or it is another App's.
    pub fn customer(&self, call: &Call, item: Option<&Item>) -> Result<Customer> {
        let customer = item.and_then(|item| self.own(item)).ok_or(Error::UserNotFound)?;
        call.note_customer(&customer.subject.cuid);
        Ok(customer)
    }

    /// As [`Self::customer`], for a customer who is not suspended.
    ///
    /// # Errors
    /// As [`Self::customer`]; [`Error::NotAllowed`] where the customer is suspended.
    pub fn active_customer(&self, call: &Call, item: Option<&Item>) -> Result<Customer> {
        let customer = self.customer(call, item)?;
        if customer.status.is_suspended() { Err(Error::NotAllowed) } else { Ok(customer) }
    }

    /// The customer that `item` holds, one of many; `None` where it is not this App's.
    #[must_use]
    pub fn own(&self, item: &Item) -> Option<Customer> {
        Customer::from_item(item).filter(|customer| customer.subject.app == self.superkey)
    }

    /// The guard that `item` holds, if it is this App's and of a customer who is not suspended.
    ///
    /// # Errors
    /// [`Error::UserNotFound`] where there is none, or it is another App's; [`Error::NotAllowed`] where the customer is
    /// suspended.
    pub fn guard(&self, call: &Call, item: Option<&Item>) -> Result<Guard> {
        let own = |guard: &Guard| guard.subject.app == self.superkey;
        let guard = item.and_then(Guard::from_item).filter(own).ok_or(Error::UserNotFound)?;
        call.note_customer(&guard.subject.cuid);
        if guard.status.is_suspended() { Err(Error::NotAllowed) } else { Ok(guard) }
    }
}

impl Deref for App {
    type Target = AppRecord;

    fn deref(&self) -> &AppRecord {
        &self.0
    }
}

/// Customer-level credentials as presented.
pub struct CustomerCredentials(Pair<CustomerKey>);

impl CustomerCredentials {
    /// The key that was presented.
    #[must_use]
    pub const fn key(&self) -> &CustomerKey {
        &self.0.key
    }

    /// Where the pair and the record of its customer are.
    #[must_use]
    pub fn record_keys(&self) -> [Key; 2] {
        [credential::record_key(&self.0.key), customer::record_key(&self.0.key.cuid())]
    }

    /// The customer who calls, if what is at [`Self::record_keys`] says so. The call's log line names the customer whose
    /// key was used, also where the token was wrong.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], [`Error::NotAllowed`], in this order.
    pub fn verify(&self, call: &Call, items: [Option<&Item>; 2], now: Timestamp) -> Result<Customer> {
        let [credential, customer] = items;
        let credential = credential.and_then(Credential::from_item).ok_or(Error::NoMatchingKey)?;
        // An erased customer's pairs are dead before the TTL tidies them up.
        let customer = customer.and_then(Customer::from_item).ok_or(Error::NoMatchingKey)?;
        call.note(&customer.subject);
        if !credential.accepts(&self.0.token, customer.subject.epoch, now) {
            return Err(Error::InvalidToken);
        }
        if customer.status.is_suspended() { Err(Error::NotAllowed) } else { Ok(customer) }
    }
}

/// Credentials of either level, for the endpoint that takes both.
pub enum AnyCredentials {
    /// App level.
    App(AppCredentials),
    /// Customer level.
    Customer(CustomerCredentials),
}

impl AnyCredentials {
    /// Reads them from a call; App credentials win where both are sent.
    ///
    /// # Errors
    /// As [`AppCredentials::read`].
    pub fn read(call: &Call, policy: Policy) -> Result<Self> {
        policy.check(call)?;
        if APP.are_used(call)? {
            return AppCredentials::read(call, policy).map(Self::App);
        }
        CUSTOMER.read(call, CustomerKey::parse).map(|pair| Self::Customer(CustomerCredentials(pair)))
    }
}

/// Platform-level credentials as presented.
pub struct PlatformCredentials(Pair<Platformkey>);

impl PlatformCredentials {
    /// Reads them from a call's headers; a platform's are not accepted in the query string.
    ///
    /// # Errors
    /// As [`AppCredentials::read`].
    pub fn read(call: &Call, policy: Policy) -> Result<Self> {
        policy.check(call)?;
        PLATFORM.read(call, Platformkey::parse).map(Self)
    }

    /// Where to read the platform's record.
    #[must_use]
    pub fn record_key(&self) -> Key {
        platform::any_key(&self.0.key)
    }

    /// The platform that calls, if `record` says that the token is its.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], [`Error::NotAllowed`], in this order.
    pub fn verify(&self, record: Option<&Item>, now: Timestamp) -> Result<Platform> {
        let record = record.and_then(PlatformRecord::from_item).ok_or(Error::NoMatchingKey)?;
        if !record.tokens.accept(&self.0.token, now) {
            return Err(Error::InvalidToken);
        }
        if record.status.is_suspended() { Err(Error::NotAllowed) } else { Ok(Platform(record)) }
    }
}

/// A platform that has proved who it is.
#[derive(Debug)]
pub struct Platform(PlatformRecord);

impl Deref for Platform {
    type Target = PlatformRecord;

    fn deref(&self) -> &PlatformRecord {
        &self.0
    }
}
