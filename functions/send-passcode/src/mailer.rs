//! SES: one mail, sent once.

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sesv2::{
    Client,
    config::Builder,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageTag},
};
use lambda_runtime::Error;
use shared::{config, email::EmailAddress, id::Subject, passcode::Failure, sdk::client_without_pool};

use crate::mail::Mail;

/// How long the provider may take. With three calls to DynamoDB it fits into the function's timeout, 15 seconds.
const ATTEMPT: Duration = Duration::from_secs(5);

/// A client with the sender's address.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    from: EmailAddress,
    configuration_set: Option<String>,
}

/// Why a mail was not taken. Holds the provider's code and not its message, which names addresses.
#[derive(Debug)]
pub struct MailError {
    /// What it means for the claim.
    pub failure: Failure,
    reason: String,
}

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MailError {}

impl MailError {
    /// A mail that never went to the provider.
    pub fn not_tried(reason: &dyn std::fmt::Display) -> Self {
        Self { failure: Failure::Refused, reason: reason.to_string() }
    }

    fn by_provider(failure: Failure, code: &str) -> Self {
        Self { failure, reason: format!("the mail provider: {code}") }
    }
}

impl From<BuildError> for MailError {
    fn from(_: BuildError) -> Self {
        Self::not_tried(&"the mail is incomplete")
    }
}

impl Mailer {
    /// Reads `MAIL_FROM` and, where there is one, `SES_CONFIGURATION_SET`.
    ///
    /// # Errors
    /// Names the variable that is missing or no address.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        let from = config::required("MAIL_FROM")?;
        let from = EmailAddress::parse(&from).ok_or("The environment variable MAIL_FROM is no e-mail address.")?;
        // SES knows no idempotency token: a repeated call could mail twice, and the caller can repeat at will.
        let ses = Builder::from(sdk)
            .http_client(client_without_pool()?)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ATTEMPT).build(),
            )
            .build();
        Ok(Self { client: Client::from_conf(ses), from, configuration_set: config::optional("SES_CONFIGURATION_SET") })
    }

    /// Sends a mail to the address on record, its domain in ASCII form. App and customer go along as tags, by which
    /// `mail-events` knows whose mail it was.
    ///
    /// # Errors
    /// When the provider refused it, or its answer was lost.
    pub async fn send(
        &self,
        whose: &Subject,
        to: &EmailAddress,
        mail: &Mail,
        reply_to: Option<&str>,
    ) -> Result<(), MailError> {
        let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
        let message = Message::builder().subject(content(&mail.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(mail.from(self.from.deliverable()))
            .destination(Destination::builder().to_addresses(to.deliverable()).build())
            .set_reply_to_addresses(reply_to.map(|address| vec![address.to_owned()]))
            .set_configuration_set_name(self.configuration_set.clone())
            .email_tags(tag("app", whose.app.as_str())?)
            .email_tags(tag("cuid", whose.cuid.as_str())?)
            .email_tags(tag("address", &to.lookup_hash())?)
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| match error {
            SdkError::ServiceError(error) => {
                let status = error.raw().status();
                let code = error.err().code().unwrap_or("refused without a code");
                // An internal error of the provider's says nothing of the mail.
                let failure = match error.err() {
                    _ if status.is_server_error() => Failure::Unknown,
                    SendEmailError::BadRequestException(refusal) if names_an_address(refusal.message()) => {
                        Failure::Undeliverable
                    }
                    _ => Failure::Refused,
                };
                MailError::by_provider(failure, code)
            }
            SdkError::TimeoutError(_) => MailError::by_provider(Failure::Unknown, "no answer in time"),
            SdkError::DispatchFailure(_) => MailError::by_provider(Failure::Unknown, "the connection failed"),
            SdkError::ResponseError(_) => MailError::by_provider(Failure::Unknown, "the answer could not be read"),
            _ => MailError::not_tried(&"the request could not be made"),
        })
    }
}

/// How SES begins what it says of an address that it does not take. Everything else that it refuses (an identity, a quota,
/// content, the sandbox) is the deployment's to mend.
const ABOUT_AN_ADDRESS: [&str; 8] = [
    "Missing final '@domain'",
    "Illegal address",
    "Invalid domain name",
    "Domain contains",
    "Domain starts with dot",
    "Domain ends with dot",
    "Local address contains",
    "Local address ends with dot",
];

/// Whether a refusal is about an address: the recipient's, since the sender's is the deployment's and has mailed before.
fn names_an_address(message: Option<&str>) -> bool {
    message.is_some_and(|message| ABOUT_AN_ADDRESS.iter().any(|beginning| message.starts_with(beginning)))
}

fn tag(name: &str, value: &str) -> Result<MessageTag, BuildError> {
    MessageTag::builder().name(name).value(value).build()
}

fn content(text: &str) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}
