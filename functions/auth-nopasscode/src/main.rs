//! The function behind `GET /customer/{identifier}/auth/nopasscode`: wiring only.

use auth_nopasscode::{Deps, handle};
use shared::{Clock, Store, audit, auth::Policy, config, http, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("auth_nopasscode");
    let deps = Deps {
        store: Store::from_env(&sdk::load().await?, &[Table::Apps, Table::Directory, Table::Credentials])?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
        credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
