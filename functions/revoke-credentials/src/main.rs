//! The function behind `DELETE /customer/{identifier}/auth`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), revoke_credentials::Deps::from_env).await
}
