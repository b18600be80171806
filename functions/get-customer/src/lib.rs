//! `GET /customer/{cuid}`: one customer's record, for the customer or its App.

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    auth::{AnyCredentials, AppCredentials, CustomerCredentials, Policy},
    customer::{Customer, record_key},
    error::During,
    http::{Call, Endpoint, Reply, json},
    id::Cuid,
    store::Table,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers and Credentials.
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
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Customers, Table::Credentials])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
        })
    }
}

const STEP: &str = "The customer could not be read. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let customer = match AnyCredentials::read(call, self.policy)? {
            AnyCredentials::App(credentials) => read_as_app(self, call, &credentials).await?,
            AnyCredentials::Customer(credentials) => read_as_customer(self, call, &credentials).await?,
        };
        json(200, &customer.to_json())
    }
}

async fn read_as_app(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Customer> {
    let customer = Cuid::parse(call.identifier()).as_ref().map(record_key);
    let keys = [Some(credentials.record_key()), customer];
    let [app, customer] = deps.store.batch_get(keys).await.during(STEP)?;
    let app = credentials.verify(call, app.as_ref(), deps.clock.now())?;
    app.customer(call, customer.as_ref())
}

/// The record that the key's own `cuid` names is read whichever one is asked for: a caller is told of their own pair's
/// fault first, and then that the other customer does not exist.
async fn read_as_customer(deps: &Deps, call: &Call, credentials: &CustomerCredentials) -> Result<Customer> {
    let [credential, customer] = deps.store.batch_get(credentials.record_keys().map(Some)).await.during(STEP)?;
    let customer = credentials.verify(call, [credential.as_ref(), customer.as_ref()], deps.clock.now())?;
    if customer.subject.cuid.as_str() == call.identifier() { Ok(customer) } else { Err(Error::NoMatchingKey) }
}
