//! `GET /customer/{identifier}/sso`: sends the customer to the App's platform with a one-time ticket.

mod return_to;
mod state;

use std::time::Duration;

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{App, AppCredentials, Policy},
    config,
    customer::{self, guard_key},
    email::EmailAddress,
    error::{During, both},
    http::{Call, Endpoint, Reply, redirect},
    id::{Cuid, Subject, Superkey},
    platform::{self, PlatformRecord},
    store::{Item, Key, Table},
    ticket::Ticket,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory and Tickets.
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
            store: Store::from_env(sdk, &[Table::Apps, Table::Customers, Table::Directory, Table::Tickets])?,
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
        let whom = Whom::parse(call.identifier());
        let record = whom.as_ref().map(|whom| whom.record_key(credentials.superkey()));
        let [app, record] = self.store.batch_get([Some(credentials.record_key()), record]).await.during(STEP)?;
        let now = self.clock.now();
        let app = credentials.verify(call, app.as_ref(), now)?;
        let platformkey = app.platform.clone().ok_or(Error::NotAllowed)?;

        let (return_to, state) = both(return_to::read(call), state::read(call))?;

        let whom = whom.ok_or(Error::UserNotFound)?;
        let (subject, address) = whom.verify(call, &app, record.as_ref())?;
        let ticket = Ticket {
            subject,
            address: address.lookup_hash(),
            platform: platformkey,
            return_to,
            state,
            expires_at: now + self.ticket_lifetime,
            redeemed: false,
        };
        let (token, item) = ticket.issue().during(STEP)?;
        // Only the App's own record says where to; the ticket is written meanwhile.
        let (platform, written) =
            tokio::join!(self.store.get(platform::any_key(&ticket.platform)), self.store.put(Table::Tickets, item));
        let platform = platform.during(STEP)?;
        written.during(STEP)?;
        let platform = platform.as_ref().and_then(PlatformRecord::from_item).ok_or(Error::NotAllowed)?;
        if platform.status.is_suspended() {
            return Err(Error::NotAllowed);
        }

        let mut location = platform.url;
        location.query_pairs_mut().append_pair("ticket", token.reveal());
        call.audit(Event::TicketIssued, &ticket.subject);
        Ok(redirect(location.as_str()))
    }
}

/// Who is sent into the platform, as the path names them.
enum Whom {
    Address(EmailAddress),
    Cuid(Cuid),
}

impl Whom {
    fn parse(identifier: &str) -> Option<Self> {
        if identifier.contains('@') {
            EmailAddress::parse(identifier).map(Self::Address)
        } else {
            Cuid::parse(identifier).map(Self::Cuid)
        }
    }

    fn record_key(&self, superkey: &Superkey) -> Key {
        match self {
            Self::Address(address) => guard_key(superkey, address),
            Self::Cuid(cuid) => customer::record_key(cuid),
        }
    }

    /// The customer, and the address on record.
    fn verify(&self, call: &Call, app: &App, record: Option<&Item>) -> Result<(Subject, EmailAddress)> {
        match self {
            Self::Address(_) => {
                let guard = app.guard(call, record)?;
                Ok((guard.subject, guard.address))
            }
            Self::Cuid(_) => {
                let customer = app.active_customer(call, record)?;
                let address = EmailAddress::on_record(&customer.email).ok_or(Error::UserNotFound)?;
                Ok((customer.subject, address))
            }
        }
    }
}
