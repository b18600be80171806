//! `POST /customer`: a new customer with its first pair, all written together or not at all.

use std::time::Duration;

use lambda_http::Request;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{App, AppCredentials, Policy},
    credential::IssuedPair,
    customer::Customer,
    email::EmailAddress,
    error::During,
    http::{Call, Reply, json, with_header},
    profile::Fields,
    store::{Item, ItemExt, Outcome, StoreError, Table, Transaction},
    token::new_cuid,
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

const STEP: &str = "The customer could not be created. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let credentials = AppCredentials::read(call, deps.policy)?;
    let [app] = deps.store.batch_get([credentials.record_key()]).await.during(STEP)?;
    let app = credentials.verify(call, app.as_ref(), deps.clock.now())?;

    let (address, profile) = Fields::for_creation(&call.body()?)?;

    let customer = new_customer(deps, &app, &address, profile)?;
    let now = customer.created_at;
    let (pair, credential) =
        IssuedPair::new(&customer.cuid, &app.superkey, customer.epoch, now, deps.credential_lifetime).during(STEP)?;
    match write(&deps.store, &customer, &address, credential).await.during(STEP)? {
        None => {}
        // The SDK repeated a write that had succeeded; what is on record is this very customer.
        Some(cuid) if cuid == customer.cuid => {}
        Some(cuid) => return Err(Error::CustomerExists { cuid }),
    }

    Event::CustomerCreated.log(call.request_id(), &app.superkey, &customer.cuid);
    Ok(with_header(json(201, &pair), "location", &format!("/customer/{}", customer.cuid)))
}

fn new_customer(
    deps: &Deps,
    app: &App,
    address: &EmailAddress,
    profile: Vec<(&'static str, String)>,
) -> Result<Customer> {
    Ok(Customer {
        cuid: new_cuid().during(STEP)?,
        app: app.superkey.clone(),
        email: address.as_typed().to_owned(),
        profile,
        suspended: false,
        epoch: 0,
        created_at: deps.clock.now(),
    })
}

/// Writes record, guard and pair in one transaction. Answers the `cuid` of the customer who has the address already;
/// then nothing was written.
async fn write(
    store: &Store,
    customer: &Customer,
    address: &EmailAddress,
    credential: Item,
) -> Result<Option<String>, StoreError> {
    let transaction = Transaction::new(store)
        .create(Table::Directory, "app", customer.to_guard_item(address))?
        .create(Table::Customers, "cuid", customer.to_item())?
        .put(Table::Credentials, credential)?;
    match transaction.commit().await? {
        Outcome::Done => Ok(None),
        Outcome::Refused(refusals) => {
            let guard = refusals.first().filter(|guard| guard.condition_failed).and_then(|guard| guard.item.as_ref());
            let cuid = guard.and_then(|guard| guard.text("cuid")).ok_or("A new cuid is taken.")?;
            Ok(Some(cuid.to_owned()))
        }
    }
}
