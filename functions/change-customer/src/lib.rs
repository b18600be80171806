//! `PATCH /customer/{cuid}`: changes a customer's fields, for the customer or its App.

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    auth::{AnyCredentials, AppCredentials, CustomerCredentials, Policy},
    customer::{Customer, change_profile, record_key},
    error::During,
    http::{Call, Endpoint, Reply, json},
    id::Cuid,
    profile::Profile,
    store::Table,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory and Credentials.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        let tables = [Table::Apps, Table::Customers, Table::Directory, Table::Credentials];
        Ok(Self { store: Store::from_env(sdk, &tables)?, clock: Clock::system(), policy: Policy::from_env()? })
    }
}

const STEP: &str = "The customer could not be changed. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        // What a customer who is gone meanwhile is told.
        let (customer, changes, gone) = match AnyCredentials::read(call, self.policy)? {
            AnyCredentials::App(credentials) => {
                let (customer, changes) = self.read_as_app(call, &credentials).await?;
                (customer, changes, Error::UserNotFound)
            }
            AnyCredentials::Customer(credentials) => {
                let (customer, changes) = self.read_as_customer(call, &credentials).await?;
                (customer, changes, Error::NoMatchingKey)
            }
        };
        if changes.is_empty() {
            return json(200, &customer.to_json());
        }
        let customer = change_profile(&self.store, customer, &changes).await.during(STEP)?.ok_or(gone)?;
        json(200, &customer.to_json())
    }
}

/// Fields to set, and fields to take away.
type Changes = Vec<(&'static str, Option<String>)>;

impl Deps {
    async fn read_as_app(&self, call: &Call, credentials: &AppCredentials) -> Result<(Customer, Changes)> {
        let key = Cuid::parse(call.identifier()).as_ref().map(record_key);
        let [app, customer] = self.store.batch_get([Some(credentials.record_key()), key]).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?;

        let changes = Profile::for_patch(call.body()?)?;

        Ok((app.customer(call, customer.as_ref())?, changes))
    }

    async fn read_as_customer(&self, call: &Call, credentials: &CustomerCredentials) -> Result<(Customer, Changes)> {
        let [pair, customer] = self.store.batch_get(credentials.record_keys().map(Some)).await.during(STEP)?;
        let customer = credentials.verify(call, [pair.as_ref(), customer.as_ref()], self.clock.now())?;
        if customer.subject.cuid.as_str() != call.identifier() {
            return Err(Error::NoMatchingKey);
        }

        Ok((customer, Profile::for_patch(call.body()?)?))
    }
}
