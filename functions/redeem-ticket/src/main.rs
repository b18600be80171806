//! The function behind `POST /sso/redeem`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), redeem_ticket::Deps::from_env).await
}
