//! `GET /customer/{email}/sso`: sends the customer to the App's platform with a one-time ticket.

mod return_to;

use std::time::Duration;

use lambda_http::Request;
pub use return_to::ReturnTo;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{AppCredentials, Policy},
    customer::{Guard, guard_key},
    email::EmailAddress,
    error::During,
    http::{Call, Reply, redirect},
    platform::PlatformRecord,
    store::{Key, Table},
    ticket::Ticket,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Directory and Tickets.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
    /// How long a ticket is valid.
    pub ticket_lifetime: Duration,
}

const STEP: &str = "The ticket could not be issued. Try again later.";

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
    let app = credentials.verify(call, app.as_ref(), now)?;
    let platformkey = app.platform.as_deref().ok_or(Error::NotAllowed)?;

    let return_to = call.query("return_to")?.map(ReturnTo::parse).transpose()?;

    let customer = Guard::active(guard.as_ref())?;
    // Only the App's own record says where to; the ticket is written meanwhile.
    let (platform, ticket) = tokio::join!(
        deps.store.batch_get([Key::new(Table::Apps, "key", platformkey)]),
        Ticket::issue(
            &deps.store,
            [&app.superkey, platformkey, &customer.cuid],
            customer.epoch,
            now,
            deps.ticket_lifetime
        ),
    );
    let [platform] = platform.during(STEP)?;
    let ticket = ticket.during(STEP)?;
    let platform = platform.as_ref().and_then(PlatformRecord::from_item).ok_or(Error::NotAllowed)?;

    let mut location = platform.url;
    location.query_pairs_mut().append_pair("ticket", ticket.reveal());
    if let Some(ReturnTo(path)) = return_to {
        location.query_pairs_mut().append_pair("return_to", &path);
    }
    Event::TicketIssued.log(call.request_id(), &app.superkey, &customer.cuid);
    Ok(redirect(location.as_str()))
}
