//! The function behind `PATCH /customer/{identifier}`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), change_customer::Deps::from_env).await
}
