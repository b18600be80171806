//! Who calls. A function reads what was presented, fetches the record that the key names beside whatever else it
//! needs, and only [`AppCredentials::verify`] and its like turn that record into a caller: privilege is a value.
//!
//! The order of the checks, their statuses and texts are the contract's table "Who calls".

use std::ops::Deref;

use crate::{
    Error, Result, Timestamp,
    app::{AppRecord, Grant},
    credential::Credential,
    customer::Customer,
    http::Call,
    platform::PlatformRecord,
    store::{Item, Key, NOBODY, Table},
    token::{Level, cuid_of_key, is_key},
};

/// Every name under which a credential may stand in the query string.
const QUERY_NAMES: [&str; 4] = ["superkey", "supertoken", "key", "token"];

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
        for name in QUERY_NAMES {
            match call.query_values(name).len() {
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
struct Pair {
    key: String,
    token: String,
}

impl Pair {
    /// Reads a pair; a header wins over the same name in the query string, and empty counts as missing.
    fn read(call: &Call, headers: [&str; 2], query: Option<[&'static str; 2]>) -> Result<Self> {
        let [key, token] = Self::parts(call, headers, query)?;
        Ok(Self { key: key.ok_or(Error::MissingKey)?, token: token.ok_or(Error::MissingToken)? })
    }

    fn parts(call: &Call, headers: [&str; 2], query: Option<[&'static str; 2]>) -> Result<[Option<String>; 2]> {
        let mut parts = [call.header(headers[0])?, call.header(headers[1])?];
        if let Some(names) = query {
            for (part, name) in parts.iter_mut().zip(names) {
                *part = part.or_else(|| call.query_values(name).first().copied().filter(|value| !value.is_empty()));
            }
        }
        Ok(parts.map(|part| part.map(str::to_owned)))
    }
}

const APP_HEADERS: [&str; 2] = ["x-access-superkey", "x-access-supertoken"];
const APP_QUERY: [&str; 2] = ["superkey", "supertoken"];

/// App-level credentials as presented.
pub struct AppCredentials(Pair);

impl AppCredentials {
    /// Reads them from a call.
    ///
    /// # Errors
    /// In the contract's order: query credentials where they are not allowed, a repeated one, a missing key, a missing
    /// token.
    pub fn read(call: &Call, policy: Policy) -> Result<Self> {
        policy.check(call)?;
        Pair::read(call, APP_HEADERS, Some(APP_QUERY)).map(Self)
    }

    /// The superkey that was presented; [`NOBODY`] where it has not the form of one.
    #[must_use]
    pub fn superkey(&self) -> &str {
        well_formed(Level::App, &self.0.key)
    }

    /// Where the App's record is.
    #[must_use]
    pub fn record_key(&self) -> Key {
        Key::new(Table::Apps, "key", self.superkey())
    }

    /// The App that calls, if `record` (what is at [`Self::record_key`]) says that the token is its.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], [`Error::NotAllowed`], in this order.
    pub fn verify(&self, call: &Call, record: Option<&Item>, now: Timestamp) -> Result<App> {
        let record = record.and_then(AppRecord::from_item).ok_or(Error::NoMatchingKey)?;
        if !record.tokens.accept(&self.0.token, now) {
            return Err(Error::InvalidToken);
        }
        call.note_app(&record.superkey);
        if record.suspended { Err(Error::NotAllowed) } else { Ok(App(record)) }
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
}

impl Deref for App {
    type Target = AppRecord;

    fn deref(&self) -> &AppRecord {
        &self.0
    }
}

/// Customer-level credentials as presented.
pub struct CustomerCredentials(Pair);

impl CustomerCredentials {
    /// Where the credential is.
    #[must_use]
    pub fn record_key(&self) -> Key {
        Key::new(Table::Credentials, "key", &*self.0.key)
    }

    /// The `cuid` of the customer whose key it says it is; `None` where it is no customer's key.
    #[must_use]
    pub fn cuid(&self) -> Option<&str> {
        cuid_of_key(&self.0.key)
    }

    /// The customer who calls, if the credential and the customer's record say so.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], [`Error::NotAllowed`], in this order.
    pub fn verify(
        &self,
        call: &Call,
        credential: Option<&Item>,
        customer: Option<&Item>,
        now: Timestamp,
    ) -> Result<Customer> {
        let credential = credential.and_then(Credential::from_item).ok_or(Error::NoMatchingKey)?;
        // An erased customer's pairs are dead before the TTL tidies them up.
        let customer = customer.and_then(Customer::from_item).ok_or(Error::NoMatchingKey)?;
        if !credential.accepts(&self.0.token, customer.epoch, now) {
            return Err(Error::InvalidToken);
        }
        call.note_app(&customer.app);
        if customer.suspended { Err(Error::NotAllowed) } else { Ok(customer) }
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
        let app = Pair::parts(call, APP_HEADERS, Some(APP_QUERY))?;
        if app.iter().any(Option::is_some) {
            return AppCredentials::read(call, policy).map(Self::App);
        }
        Pair::read(call, ["x-access-key", "x-access-token"], Some(["key", "token"]))
            .map(|pair| Self::Customer(CustomerCredentials(pair)))
    }
}

/// Platform-level credentials as presented.
pub struct PlatformCredentials(Pair);

impl PlatformCredentials {
    /// Reads them from a call's headers; a platform's are not accepted in the query string.
    ///
    /// # Errors
    /// As [`AppCredentials::read`].
    pub fn read(call: &Call, policy: Policy) -> Result<Self> {
        policy.check(call)?;
        Pair::read(call, ["x-access-platformkey", "x-access-platformtoken"], None).map(Self)
    }

    /// Where the platform's record is.
    #[must_use]
    pub fn record_key(&self) -> Key {
        Key::new(Table::Apps, "key", well_formed(Level::Platform, &self.0.key))
    }

    /// The platform that calls, if `record` says that the token is its.
    ///
    /// # Errors
    /// [`Error::NoMatchingKey`], [`Error::InvalidToken`], in this order.
    pub fn verify(&self, record: Option<&Item>, now: Timestamp) -> Result<Platform> {
        let record = record.and_then(PlatformRecord::from_item).ok_or(Error::NoMatchingKey)?;
        if record.tokens.accept(&self.0.token, now) { Ok(Platform(record)) } else { Err(Error::InvalidToken) }
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

/// The key, where it has the form of one. Nothing else names a record, nor may it reach DynamoDB, which refuses keys
/// over 2,048 bytes.
fn well_formed(level: Level, key: &str) -> &str {
    if is_key(level, key) { key } else { NOBODY }
}
