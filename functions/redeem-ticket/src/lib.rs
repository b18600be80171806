//! `POST /sso/redeem`: tells the platform, once, whom a ticket speaks of.

use aws_config::SdkConfig;
use serde::Serialize;
use serde_json::Value;
use shared::{
    Clock, Error, Result, Store, Timestamp,
    app::AppRecord,
    audit::Event,
    auth::{Platform, PlatformCredentials, Policy},
    customer::Customer,
    error::During,
    fields::{Fields, Parsed},
    http::{Call, Endpoint, Reply, json},
    id::{Cuid, Superkey},
    store::{Item, Table},
    ticket::{PresentedTicket, Ticket},
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

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Customers, Table::Tickets])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
        })
    }
}

/// Whom a ticket speaks of, as the platform is told.
#[derive(Serialize)]
struct Identity<'a> {
    cuid: &'a Cuid,
    email: &'a str,
    /// Whether a passcode mailed to this address has come back.
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The App, which no two share a key of.
    app: &'a Superkey,
    /// The App's name, for people.
    app_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
}

const STEP: &str = "The ticket could not be redeemed. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let credentials = PlatformCredentials::read(call, self.policy)?;
        // Everything is read in one call, so the body is parsed first; what is wrong with it is told after the
        // credentials were checked.
        let presented = call.body().and_then(parse);
        let ticket = presented.as_deref().ok().and_then(PresentedTicket::parse);
        let [ticket_key, customer, app] =
            ticket.as_ref().map(PresentedTicket::record_keys).map_or([const { None }; 3], |keys| keys.map(Some));
        let keys = [Some(credentials.record_key()), ticket_key, customer, app];
        let [platform, stored, customer, app] = self.store.batch_get(keys).await.during(STEP)?;
        let now = self.clock.now();
        let platform = credentials.verify(platform.as_ref(), now)?;

        presented?;

        let presented = ticket.ok_or(Error::InvalidTicket)?;
        let ticket = live_ticket(&platform, stored.as_ref(), now)?;
        call.note(&ticket.subject);
        let customer = customer.as_ref().and_then(Customer::from_item).ok_or(Error::InvalidTicket)?;
        let app = app.as_ref().and_then(AppRecord::from_item).ok_or(Error::InvalidTicket)?;
        let leads_here = !app.status.is_suspended() && app.platform.as_ref() == Some(&platform.platformkey);
        if !leads_here || customer.status.is_suspended() || !ticket.speaks_of(&customer) {
            return Err(Error::InvalidTicket);
        }
        // Last, so that whatever fails before it burns nothing.
        if !presented.use_up(&self.store, now).await.during(STEP)? {
            return Err(Error::InvalidTicket);
        }

        call.audit(Event::TicketRedeemed, &customer.subject);
        let identity = Identity {
            cuid: &customer.subject.cuid,
            email: &customer.email,
            email_verified: customer.email_verified,
            company: customer.field("company"),
            name: customer.field("name"),
            app: &app.superkey,
            app_name: &app.name,
            return_to: ticket.return_to.as_deref(),
            state: ticket.state.as_deref(),
        };
        json(200, &identity)
    }
}

/// Reads the ticket out of the body; every bad field is told at once.
fn parse(mut fields: Fields) -> Result<String> {
    let ticket = fields.required("ticket", ticket);
    fields.finish("Is not a field of a redemption.", || ticket).map_err(Error::invalid_fields)
}

fn ticket(value: &Value) -> Parsed<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or("Must be a string that is not empty.")
}

/// The ticket, if it is this platform's and still good. A foreign platform's try burns nothing.
fn live_ticket(platform: &Platform, item: Option<&Item>, now: Timestamp) -> Result<Ticket> {
    let ticket = item.and_then(Ticket::from_item).ok_or(Error::InvalidTicket)?;
    let live = ticket.platform == platform.platformkey && now < ticket.expires_at && !ticket.redeemed;
    if live { Ok(ticket) } else { Err(Error::InvalidTicket) }
}
