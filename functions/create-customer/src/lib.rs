//! `POST /customer`: a new customer with its first pair, all written together or not at all.

use std::time::Duration;

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{AppCredentials, Policy},
    config,
    credential::IssuedPair,
    customer::Customer,
    email::EmailAddress,
    error::During,
    http::{Call, Endpoint, Reply, json, with_header},
    id::{Cuid, Subject},
    profile::Profile,
    status::Status,
    store::{Item, ItemExt, Outcome, StoreError, Table, Transaction},
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
            store: Store::from_env(sdk, &[Table::Apps, Table::Customers, Table::Directory, Table::Credentials])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
            credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
        })
    }
}

const STEP: &str = "The customer could not be created. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let credentials = AppCredentials::read(call, self.policy)?;
        let app = self.store.get(credentials.record_key()).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?;

        let (address, profile) = Profile::for_creation(call.body()?)?;

        let now = self.clock.now();
        let customer = Customer {
            subject: Subject { app: app.superkey.clone(), cuid: Cuid::new().during(STEP)?, epoch: 0 },
            email: address.as_typed().to_owned(),
            profile,
            email_verified: false,
            status: Status::Active,
            created_at: now,
        };
        let subject = &customer.subject;
        let (pair, credential) = IssuedPair::new(subject, now, self.credential_lifetime).during(STEP)?;
        match write(&self.store, &customer, &address, credential).await.during(STEP)? {
            None => {}
            // The SDK repeated a write that had succeeded; what is on record is this very customer.
            Some(cuid) if cuid == subject.cuid => {}
            Some(cuid) => return Err(Error::CustomerExists { cuid }),
        }

        call.audit(Event::CustomerCreated, subject);
        Ok(with_header(json(201, &pair)?, "location", &format!("/customer/{}", subject.cuid)))
    }
}

/// Writes record, guard and pair in one transaction. Answers the `cuid` of the customer who has the address already;
/// then nothing was written.
async fn write(
    store: &Store,
    customer: &Customer,
    address: &EmailAddress,
    credential: Item,
) -> Result<Option<Cuid>, StoreError> {
    let transaction = Transaction::new(store)
        .create(Table::Directory, "app", customer.to_guard_item(address))?
        .create(Table::Customers, "cuid", customer.to_item())?
        .put(Table::Credentials, credential)?;
    match transaction.commit().await? {
        Outcome::Done => Ok(None),
        Outcome::Refused(refusals) => {
            let guard = refusals.first().filter(|guard| guard.condition_failed).and_then(|guard| guard.item.as_ref());
            let cuid = guard.and_then(|guard| Cuid::parse(guard.text("cuid")?)).ok_or("A new cuid is taken.")?;
            Ok(Some(cuid))
        }
    }
}
