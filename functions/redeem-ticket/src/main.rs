//! The function behind `POST /sso/redeem`: wiring only.

use redeem_ticket::{Deps, handle};
use shared::{Clock, Store, audit, auth::Policy, http, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("redeem_ticket");
    let deps = Deps {
        store: Store::from_env(&sdk::load().await?, &[Table::Apps, Table::Customers, Table::Tickets])?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
