//! `POST /customer`: a new customer with its first pair, all written together or not at all.

mod idempotency;

use std::time::Duration;

use aws_config::SdkConfig;
use idempotency::{Earlier, Idempotency};
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{App, AppCredentials, Policy},
    config,
    credential::IssuedPair,
    customer::Customer,
    error::{During, both},
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

        let check = |address: &shared::email::EmailAddress| app.check_address(address);
        let fields = call.body().and_then(|body| Profile::for_creation(body, check));
        let (key, (address, profile)) = both(idempotency::read_key(call), fields)?;

        let now = self.clock.now();
        let idempotency = key.map(|key| Idempotency::new(key, &profile));
        let customer = Customer {
            subject: Subject { app: app.superkey.clone(), cuid: Cuid::new().during(STEP)?, epoch: 0 },
            email: address.as_typed().to_owned(),
            profile,
            email_verified: false,
            mail: None,
            status: Status::Active,
            created_at: now,
        };
        let (pair, credential) = IssuedPair::new(&customer.subject, now, self.credential_lifetime).during(STEP)?;
        let mut guard = customer.to_guard_item(&address);
        guard.extend(idempotency.as_ref().map(|it| it.attributes(now)).unwrap_or_default());
        if let Some(guard) = write(&self.store, &customer, guard, credential).await.during(STEP)? {
            return self.answer_existing(call, &app, &guard, idempotency.as_ref()).await;
        }
        call.audit(Event::CustomerCreated, &customer.subject);
        created(&pair)
    }
}

impl Deps {
    /// The address has a guard already: of this very creation, whose reply was lost, or of another one.
    async fn answer_existing(
        &self,
        call: &Call,
        app: &App,
        guard: &Item,
        idempotency: Option<&Idempotency>,
    ) -> Result<Reply> {
        let now = self.clock.now();
        match idempotency.map_or(Earlier::Other, |idempotency| idempotency.compare(guard, now)) {
            Earlier::Other => {
                let cuid = guard.text("cuid").and_then(Cuid::parse);
                Err(Error::CustomerExists { cuid: cuid.ok_or("A guard without a cuid.").during(STEP)? })
            }
            Earlier::Reused => Err(Error::IdempotencyKeyReused),
            Earlier::Repeated => {
                let subject = app.guard(call, Some(guard))?.subject;
                let (pair, credential) = IssuedPair::new(&subject, now, self.credential_lifetime).during(STEP)?;
                self.store.put(Table::Credentials, credential).await.during(STEP)?;
                call.audit(Event::PairIssued, &subject);
                Ok(with_header(created(&pair)?, "idempotent-replayed", "true"))
            }
        }
    }
}

/// The reply to a creation.
fn created(pair: &IssuedPair) -> Result<Reply> {
    Ok(with_header(json(201, pair)?, "location", &format!("/customer/{}", pair.cuid)))
}

/// Writes record, guard and pair in one transaction. Answers the guard that has the address already; then nothing was
/// written.
async fn write(store: &Store, customer: &Customer, guard: Item, credential: Item) -> Result<Option<Item>, StoreError> {
    let transaction = Transaction::new(store)
        .create(Table::Directory, "app", guard)?
        .create(Table::Customers, "cuid", customer.to_item())?
        .put(Table::Credentials, credential)?;
    match transaction.commit().await? {
        Outcome::Done => Ok(None),
        Outcome::Refused(refusals) => {
            let guard = refusals.into_iter().next().filter(|guard| guard.condition_failed).and_then(|guard| guard.item);
            let guard = guard.ok_or("A new cuid is taken.")?;
            // The SDK repeated a write that had succeeded; what is on record is this very customer.
            Ok((guard.text("cuid") != Some(customer.subject.cuid.as_str())).then_some(guard))
        }
    }
}
