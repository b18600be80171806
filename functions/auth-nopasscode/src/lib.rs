//! `GET /customer/{email}/auth/nopasscode`: a new pair for an address, for Apps that may do without a passcode.

use std::time::Duration;

use lambda_http::Request;
use shared::{
    Clock, Error, Result, Store,
    app::Grant,
    audit::Event,
    auth::{AppCredentials, Policy},
    credential::IssuedPair,
    customer::{Guard, guard_key},
    email::EmailAddress,
    error::During,
    http::{Call, Reply, json},
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

const STEP: &str = "The credentials could not be issued. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let credentials = AppCredentials::read(call, deps.policy)?;
    let address = EmailAddress::parse(call.identifier());
    let guard = guard_key(credentials.superkey(), address.as_ref());
    let [app, guard] = deps.store.batch_get([credentials.record_key(), guard]).await.during(STEP)?;
    let now = deps.clock.now();
    let app = credentials.verify(call, app.as_ref(), now)?.require(Grant::Nopasscode)?;

    if !call.identifier().contains('@') {
        return Err(Error::invalid("identifier", "Must be an e-mail address."));
    }

    let customer = Guard::active(guard.as_ref())?;
    let (pair, item) =
        IssuedPair::new(&customer.cuid, &app.superkey, customer.epoch, now, deps.credential_lifetime).during(STEP)?;
    deps.store.put(Table::Credentials, item).await.during(STEP)?;

    Event::PairIssued.log(call.request_id(), &app.superkey, &customer.cuid);
    Ok(json(200, &pair))
}
