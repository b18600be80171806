//! The function behind `GET /customer/{identifier}/passcode`: wiring only.

use send_passcode::{Deps, Mailer, handle};
use shared::{
    Clock, Store, audit,
    auth::Policy,
    config, http,
    passcode::{Peppers, SendRules},
    sdk,
    store::Table,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    audit::init("send_passcode");
    let sdk = sdk::load().await?;
    let deps = Deps {
        store: Store::from_env(&sdk, &[Table::Apps, Table::Directory, Table::Passcodes])?,
        mailer: Mailer::from_env(&sdk)?,
        clock: Clock::system(),
        policy: Policy::from_env()?,
        peppers: Peppers::from_env()?,
        rules: SendRules {
            lifetime: config::seconds("PASSCODE_TTL_SECONDS")?,
            cooldown: config::seconds("PASSCODE_COOLDOWN_SECONDS")?,
        },
    };
    http::serve(&deps.store, |request| handle(&deps, request)).await
}
