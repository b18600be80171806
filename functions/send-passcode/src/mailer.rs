//! SES: one mail, sent once.

mod way;

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
use shared::{app::AppRecord, audit::Event, config, email::EmailAddress, id::Subject, passcode::Failure, sdk};
use tokio::time::timeout;
use way::{Lost, Way};

use crate::mail::Mail;

/// How long the provider may take, with all that it refuses at once. With three calls to DynamoDB it fits into the
/// function's timeout, 15 seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client with the sender's address.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    from: EmailAddress,
    configuration_set: Option<String>,
    has_tenants: bool,
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

/// A mail and whom it is for.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The customer.
    pub whose: &'a Subject,
    /// The address on record.
    pub to: &'a EmailAddress,
    /// What it says.
    pub mail: &'a Mail,
    /// Where answers go.
    pub reply_to: Option<&'a str>,
}

impl Mailer {
    /// Reads `MAIL_FROM`, `MAIL_TENANTS` and, where there is one, `SES_CONFIGURATION_SET`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        let from = config::required("MAIL_FROM")?;
        let from = EmailAddress::parse(&from).ok_or("The environment variable MAIL_FROM is no e-mail address.")?;
        // SES knows no idempotency token: a repeated call could mail twice, and the caller can repeat at will.
        let ses = Builder::from(sdk)
            .http_client(sdk::client_without_pool()?)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE).build(),
            )
            .build();
        Ok(Self {
            client: Client::from_conf(ses),
            from,
            configuration_set: config::optional("SES_CONFIGURATION_SET"),
            has_tenants: config::switch("MAIL_TENANTS")?,
        })
    }

    /// Sends a mail of this App's, by the way that its record says. Where SES refuses that way, and with it the mail, it
    /// goes by the next one; `lost` hears of it. A mail whose fate is unknown is not sent again.
    ///
    /// # Errors
    /// When the provider refused it, or its answer was lost.
    pub async fn send(&self, app: &AppRecord, letter: Letter<'_>, lost: impl Fn(Event)) -> Result<(), MailError> {
        let ways = async {
            let mut way = Way::of(app, self.has_tenants);
            loop {
                let Err((error, refused)) = self.send_by(&way, letter).await else { return Ok(()) };
                let Some((next, event)) = refused.and_then(|refused| way.without(refused)) else { return Err(error) };
                lost(event);
                way = next;
            }
        };
        timeout(PATIENCE, ways).await.unwrap_or_else(|_| Err(MailError::by_provider(Failure::Unknown, TOO_LATE)))
    }

    /// Sends a mail to the address on record, its domain in ASCII form. App and customer go along as tags, by which
    /// `mail-events` knows whose mail it was.
    async fn send_by(&self, way: &Way<'_>, letter: Letter<'_>) -> Result<(), (MailError, Option<Lost>)> {
        let Letter { whose, to, mail, reply_to } = letter;
        let not_tried = |error: BuildError| (error.into(), None);
        let body = Body::builder()
            .text(content(&mail.text).map_err(not_tried)?)
            .html(content(&mail.html).map_err(not_tried)?)
            .build();
        let message = Message::builder().subject(content(&mail.subject).map_err(not_tried)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(mail.from(way.from.unwrap_or_else(|| self.from.deliverable())))
            .destination(Destination::builder().to_addresses(to.deliverable()).build())
            .set_reply_to_addresses(reply_to.map(|address| vec![address.to_owned()]))
            .set_configuration_set_name(self.configuration_set.clone())
            .set_tenant_name(way.tenant.map(str::to_owned))
            .email_tags(tag("app", whose.app.as_str()).map_err(not_tried)?)
            .email_tags(tag("cuid", whose.cuid.as_str()).map_err(not_tried)?)
            .email_tags(tag("address", &to.lookup_hash()).map_err(not_tried)?)
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| match error {
            SdkError::ServiceError(error) => {
                let (error, status) = (error.err(), error.raw().status());
                let code = error.code().unwrap_or("refused without a code");
                // An internal error of the provider's says nothing of the mail.
                let failure = match error {
                    _ if status.is_server_error() => Failure::Unknown,
                    SendEmailError::BadRequestException(refusal) if names_an_address(refusal.message()) => {
                        Failure::Undeliverable
                    }
                    _ => Failure::Refused,
                };
                let lost = if failure == Failure::Refused { way.lost(code, error.message()) } else { None };
                (MailError::by_provider(failure, code), lost)
            }
            SdkError::TimeoutError(_) => (MailError::by_provider(Failure::Unknown, TOO_LATE), None),
            SdkError::DispatchFailure(_) => (MailError::by_provider(Failure::Unknown, "the connection failed"), None),
            SdkError::ResponseError(_) => {
                (MailError::by_provider(Failure::Unknown, "the answer could not be read"), None)
            }
            _ => (MailError::not_tried(&"the request could not be made"), None),
        })
    }
}

const TOO_LATE: &str = "no answer in time";

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

/// Whether a refusal is about an address: the recipient's, since SES has verified the domain of the sender's.
fn names_an_address(message: Option<&str>) -> bool {
    message.is_some_and(|message| ABOUT_AN_ADDRESS.iter().any(|beginning| message.starts_with(beginning)))
}

fn tag(name: &str, value: &str) -> Result<MessageTag, BuildError> {
    MessageTag::builder().name(name).value(value).build()
}

fn content(text: &str) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}
