//! The function behind `GET /customer/{identifier}/sso`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), sso::Deps::from_env).await
}
