//! The function behind `GET /customer/{identifier}/sso`: wiring only.

use shared::{Clock, Store, audit, auth::Policy, config, http, sdk, store::Table};
use sso::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("sso");
    let deps = Deps {
        store: Store::from_env(&sdk::load().await?, &[Table::Apps, Table::Directory, Table::Tickets])?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
        ticket_lifetime: config::seconds("TICKET_TTL_SECONDS")?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
