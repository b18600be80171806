//! The function behind `GET /customer/{identifier}/passcode`: wiring only.

use shared::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    http::serve(env!("CARGO_CRATE_NAME"), send_passcode::Deps::from_env).await
}
