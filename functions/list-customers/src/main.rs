//! The function behind `GET /customer`: wiring only.

use list_customers::{Deps, handle};
use shared::{Clock, Store, audit, auth::Policy, http, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("list_customers");
    let deps = Deps {
        store: Store::from_env(&sdk::load().await?, &[Table::Apps, Table::Customers, Table::Directory])?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
