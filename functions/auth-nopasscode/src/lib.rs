//! `GET /customer/{email}/auth/nopasscode`: a new pair for an address, for Apps that may do without a passcode.

use std::time::Duration;

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    app::Grant,
    audit::Event,
    auth::{AppCredentials, Policy},
    config,
    credential::IssuedPair,
    customer::guard_key,
    email::EmailAddress,
    error::During,
    http::{Call, Endpoint, Reply, json},
    store::Table,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Directory and Credentials.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
    /// How long a pair is valid.
    pub credential_lifetime: Duration,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Directory, Table::Credentials])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
            credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
        })
    }
}

const STEP: &str = "The credentials could not be issued. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let credentials = AppCredentials::read(call, self.policy)?;
        let address = EmailAddress::parse(call.identifier());
        let guard = address.as_ref().map(|address| guard_key(credentials.superkey(), address));
        let [app, guard] = self.store.batch_get([Some(credentials.record_key()), guard]).await.during(STEP)?;
        let now = self.clock.now();
        let app = credentials.verify(call, app.as_ref(), now)?.require(Grant::Nopasscode)?;

        if !call.identifier().contains('@') {
            return Err(Error::invalid("identifier", "Must be an e-mail address."));
        }

        let subject = app.guard(call, guard.as_ref())?.subject;
        let (pair, item) = IssuedPair::new(&subject, now, self.credential_lifetime).during(STEP)?;
        self.store.put(Table::Credentials, item).await.during(STEP)?;

        call.audit(Event::PairIssued, &subject);
        json(200, &pair)
    }
}
