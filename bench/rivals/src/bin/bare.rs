//! What a function costs that makes the same calls as one of ours and does nothing else.

use lambda_http::Error;
use rivals::Mail;

struct NoMail;

impl Mail for NoMail {
    async fn send(&self) -> Result<(), Error> {
        Err("there is no mail to be sent".into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    rivals::serve(NoMail).await
}
