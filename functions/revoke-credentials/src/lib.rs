//! `DELETE /customer/{cuid}/auth`: ends the customer's own pair, or for its App every pair with the living passcode and
//! tickets.

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{AnyCredentials, AppCredentials, CustomerCredentials, Policy},
    credential,
    customer::{self, record_key},
    error::During,
    http::{Call, Endpoint, Reply, no_content},
    id::Cuid,
    store::Table,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory, Passcodes and Credentials.
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
        let tables = [Table::Apps, Table::Customers, Table::Directory, Table::Passcodes, Table::Credentials];
        Ok(Self { store: Store::from_env(sdk, &tables)?, clock: Clock::system(), policy: Policy::from_env()? })
    }
}

const STEP: &str = "The credentials could not be revoked. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        match AnyCredentials::read(call, self.policy)? {
            AnyCredentials::App(credentials) => self.revoke_all(call, &credentials).await?,
            AnyCredentials::Customer(credentials) => self.revoke_one(call, &credentials).await?,
        }
        Ok(no_content())
    }
}

impl Deps {
    /// With the App's credentials: whatever was issued to the customer so far.
    async fn revoke_all(&self, call: &Call, credentials: &AppCredentials) -> Result<()> {
        let key = Cuid::parse(call.identifier()).as_ref().map(record_key);
        let [app, record] = self.store.batch_get([Some(credentials.record_key()), key.clone()]).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?;
        let customer = app.customer(call, record.as_ref())?;
        let revoked = customer::revoke_all(&self.store, customer, self.clock.now()).await.during(STEP)?;
        let customer = revoked.ok_or(Error::UserNotFound)?;
        call.audit(Event::AllRevoked, &customer.subject);
        Ok(())
    }

    /// With the customer's credentials: the pair that was presented. That of another customer's path ends nothing.
    async fn revoke_one(&self, call: &Call, credentials: &CustomerCredentials) -> Result<()> {
        let [pair, customer] = self.store.batch_get(credentials.record_keys().map(Some)).await.during(STEP)?;
        let now = self.clock.now();
        let customer = credentials.verify(call, [pair.as_ref(), customer.as_ref()], now)?;
        if customer.subject.cuid.as_str() != call.identifier() {
            return Err(Error::NoMatchingKey);
        }
        if !credential::revoke(&self.store, credentials.key(), now).await.during(STEP)? {
            return Err(Error::NoMatchingKey);
        }
        call.audit(Event::PairRevoked, &customer.subject);
        Ok(())
    }
}
