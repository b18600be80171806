//! `GET /customer/{email}/sso`: sends the customer to the App's platform with a one-time ticket.

mod return_to;

use std::time::Duration;

use aws_config::SdkConfig;
pub use return_to::ReturnTo;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{AppCredentials, Policy},
    config,
    customer::guard_key,
    email::EmailAddress,
    error::During,
    http::{Call, Endpoint, Reply, redirect},
    platform::{self, PlatformRecord},
    store::Table,
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

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Directory, Table::Tickets])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
            ticket_lifetime: config::seconds("TICKET_TTL_SECONDS")?,
        })
    }
}

const STEP: &str = "The ticket could not be issued. Try again later.";

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
        let app = credentials.verify(call, app.as_ref(), now)?;
        let platformkey = app.platform.as_ref().ok_or(Error::NotAllowed)?;

        let return_to = call.query("return_to")?.map(ReturnTo::parse).transpose()?;

        let subject = app.guard(call, guard.as_ref())?.subject;
        let (ticket, item) = Ticket::new(&subject, platformkey, now, self.ticket_lifetime).during(STEP)?;
        // Only the App's own record says where to; the ticket is written meanwhile.
        let (platform, written) =
            tokio::join!(self.store.get(platform::record_key(platformkey)), self.store.put(Table::Tickets, item),);
        let platform = platform.during(STEP)?;
        written.during(STEP)?;
        let platform = platform.as_ref().and_then(PlatformRecord::from_item).ok_or(Error::NotAllowed)?;

        let mut location = platform.url;
        location.query_pairs_mut().append_pair("ticket", ticket.reveal());
        if let Some(ReturnTo(path)) = return_to {
            location.query_pairs_mut().append_pair("return_to", &path);
        }
        call.audit(Event::TicketIssued, &subject);
        Ok(redirect(location.as_str()))
    }
}
