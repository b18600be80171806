//! The function behind `GET /customer/{identifier}/auth`: wiring only.

use auth::{Deps, handle};
use shared::{Clock, Store, audit, auth::Policy, config, http, passcode::Peppers, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("auth");
    let deps = Deps {
        store: Store::from_env(
            &sdk::load().await?,
            &[Table::Apps, Table::Customers, Table::Directory, Table::Passcodes, Table::Credentials],
        )?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
        peppers: Peppers::from_env()?,
        credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
