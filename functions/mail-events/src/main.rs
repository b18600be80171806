//! The function `mail-events`: wiring only.

use lambda_runtime::service_fn;
use mail_events::{Deps, handle};
use shared::{audit, sdk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    audit::init(env!("CARGO_CRATE_NAME"));
    let deps = &Deps::from_env(&sdk::load().await?)?;
    lambda_runtime::run(service_fn(async move |event| handle(deps, event).await)).await
}
