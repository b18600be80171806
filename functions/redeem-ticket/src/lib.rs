//! `POST /sso/redeem`: tells the platform, once, whom a ticket speaks of.

use lambda_http::Request;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    Clock, Error, Result, Store, Timestamp,
    app::AppRecord,
    audit::Event,
    auth::{Platform, PlatformCredentials, Policy},
    customer::{self, Customer},
    error::{During, Violation},
    http::{Call, Reply, json},
    store::{Item, Key, Table},
    ticket::Ticket,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers and Tickets.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
}

/// Whom a ticket speaks of, as the platform is told.
#[derive(Serialize)]
struct Identity<'a> {
    cuid: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The App's name.
    app: &'a str,
}

const STEP: &str = "The ticket could not be redeemed. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let credentials = PlatformCredentials::read(call, deps.policy)?;
    // The ticket is read beside the platform, so the body is parsed first; what is wrong with it is told after the
    // credentials were checked.
    let presented = call.body().and_then(|body| parse(&body));
    let ticket_key = Ticket::record_key(presented.as_deref().unwrap_or_default());
    let [platform, ticket] = deps.store.batch_get([credentials.record_key(), ticket_key]).await.during(STEP)?;
    let now = deps.clock.now();
    let platform = credentials.verify(platform.as_ref(), now)?;

    let presented = presented?;

    let ticket = live_ticket(&platform, ticket.as_ref(), now)?;
    let keys = [customer::record_key(&ticket.cuid), Key::new(Table::Apps, "key", &*ticket.app)];
    let (used_up, records) = tokio::join!(Ticket::use_up(&deps.store, &presented, now), deps.store.batch_get(keys));
    if !used_up.during(STEP)? {
        return Err(Error::InvalidTicket);
    }
    let [customer, app] = records.during(STEP)?;
    let customer = customer.as_ref().and_then(Customer::from_item).ok_or(Error::InvalidTicket)?;
    let app = app.as_ref().and_then(AppRecord::from_item).ok_or(Error::InvalidTicket)?;
    if customer.suspended || app.suspended || customer.epoch != ticket.epoch {
        return Err(Error::InvalidTicket);
    }

    Event::TicketRedeemed.log(call.request_id(), &app.superkey, &customer.cuid);
    let field = |name| customer.profile.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
    Ok(json(
        200,
        &Identity {
            cuid: &customer.cuid,
            email: &customer.email,
            company: field("company"),
            name: field("name"),
            app: &app.name,
        },
    ))
}

/// Reads the ticket out of the body; every bad field is told at once.
fn parse(body: &Map<String, Value>) -> Result<String> {
    let mut violations: Vec<Violation> = body
        .keys()
        .filter(|name| *name != "ticket")
        .map(|name| Violation { field: name.chars().take(64).collect(), message: "Is not a field of a redemption." })
        .collect();
    let ticket = match body.get("ticket") {
        Some(Value::String(ticket)) if !ticket.is_empty() => Ok(ticket),
        None => Err("Is required."),
        Some(_) => Err("Must be a string that is not empty."),
    };
    match ticket {
        Ok(ticket) if violations.is_empty() => return Ok(ticket.clone()),
        Ok(_) => {}
        Err(message) => violations.push(Violation { field: "ticket".to_owned(), message }),
    }
    Err(Error::Invalid(violations))
}

/// The ticket, if it is this platform's and still good. A foreign platform's try burns nothing.
fn live_ticket(platform: &Platform, item: Option<&Item>, now: Timestamp) -> Result<Ticket> {
    let ticket = item.and_then(Ticket::from_item).ok_or(Error::InvalidTicket)?;
    let live = ticket.platform == platform.platformkey && now < ticket.expires_at && !ticket.redeemed;
    if live { Ok(ticket) } else { Err(Error::InvalidTicket) }
}
