//! The function behind `POST /customer`: wiring only.

use create_customer::{Deps, handle};
use shared::{Clock, Store, audit, auth::Policy, config, http, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("create_customer");
    let deps = Deps {
        store: Store::from_env(
            &sdk::load().await?,
            &[Table::Apps, Table::Customers, Table::Directory, Table::Credentials],
        )?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
        credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
