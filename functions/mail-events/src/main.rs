//! The function `mail-events`: wiring only.

use lambda_runtime::service_fn;
use mail_events::handle;
use shared::audit;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    audit::init(env!("CARGO_CRATE_NAME"));
    lambda_runtime::run(service_fn(async |event| Ok::<_, std::convert::Infallible>(handle(&event)))).await
}
