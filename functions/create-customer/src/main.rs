//! The function behind `POST /customer`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), create_customer::Deps::from_env).await
}
