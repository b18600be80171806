//! `GET /customer/{cuid}`: one customer's record, for the customer or its App.

use lambda_http::Request;
use shared::{
    Clock, Error, Result, Store,
    auth::{AnyCredentials, AppCredentials, CustomerCredentials, Policy},
    customer::{Customer, record_key},
    error::During,
    http::{Call, Reply, json},
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

const STEP: &str = "The customer could not be read. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let customer = match AnyCredentials::read(call, deps.policy)? {
        AnyCredentials::App(credentials) => read_as_app(deps, call, &credentials).await?,
        AnyCredentials::Customer(credentials) => read_as_customer(deps, call, &credentials).await?,
    };
    Ok(json(200, &customer.to_json()))
}

async fn read_as_app(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Customer> {
    let keys = [credentials.record_key(), record_key(call.identifier())];
    let [app, customer] = deps.store.batch_get(keys).await.during(STEP)?;
    let app = credentials.verify(call, app.as_ref(), deps.clock.now())?;
    Customer::of(&app, customer.as_ref())
}

/// The record that the key's own `cuid` names is read whichever one is asked for: a caller is told of their own pair's
/// fault first, and then that the other customer does not exist.
async fn read_as_customer(deps: &Deps, call: &Call, credentials: &CustomerCredentials) -> Result<Customer> {
    let own = credentials.cuid().ok_or(Error::NoMatchingKey)?;
    let keys = [credentials.record_key(), record_key(own)];
    let [credential, customer] = deps.store.batch_get(keys).await.during(STEP)?;
    let customer = credentials.verify(call, credential.as_ref(), customer.as_ref(), deps.clock.now())?;
    if customer.cuid == call.identifier() { Ok(customer) } else { Err(Error::NoMatchingKey) }
}
