//! The same with SES, for the function that mails.

use aws_sdk_sesv2::{
    Client,
    config::Builder,
    types::{Body, Content, Destination, EmailContent, Message},
};
use lambda_http::Error;
use rivals::Mail;
use shared::{config, sdk};

struct Mailer {
    client: Client,
    from: String,
    content: EmailContent,
}

impl Mail for Mailer {
    async fn send(&self) -> Result<(), Error> {
        let to = Destination::builder().to_addresses("ada@example.com").build();
        let mail = self.client.send_email().from_email_address(&self.from).destination(to);
        mail.content(self.content.clone()).send().await?;
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    // As long as ours.
    let body = Body::builder().text(text("1234 5678")?).html(text(&"<p>1234 5678</p>".repeat(100))?).build();
    let message = Message::builder().subject(text("A code")?).body(body).build();
    rivals::serve(Mailer {
        // As ours: a connection for each mail.
        client: Client::from_conf(Builder::from(&sdk::load().await?).http_client(sdk::client_without_pool()?).build()),
        from: config::required("MAIL_FROM")?,
        content: EmailContent::builder().simple(message).build(),
    })
    .await
}
