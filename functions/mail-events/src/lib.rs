//! What became of a passcode's mail after SES took it: an event of `EventBridge` in; a line of the audit log out, and a
//! note in the customer's record and guard, which the next send reads.
//!
//! `send-passcode` tags each mail with App, `cuid` and the hash of the address: the line names the customer and no
//! address, and the note is never for a customer who has another address meanwhile.

use aws_config::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    Clock, Store, Timestamp,
    audit::{self, Event},
    customer::{MailOutcome, MailStatus, Recipient, note_mail},
    error::Causes,
    id::{Cuid, Superkey},
    store::{StoreError, Table},
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Customers and Directory.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, StoreError> {
        Ok(Self { store: Store::from_env(sdk, &[Table::Customers, Table::Directory])?, clock: Clock::system() })
    }
}

/// What is read of SES's event. Whoever else wrote one is answered `null`, and nothing is logged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MailEvent {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
struct Mail {
    /// When it was sent.
    timestamp: String,
    tags: Tags,
}

/// Each tag has a list of values, of which there is one.
#[derive(Deserialize)]
struct Tags {
    app: (String,),
    cuid: (String,),
    /// Mails of an earlier version have none.
    address: Option<(String,)>,
}

#[derive(Deserialize)]
struct Bounce {
    #[serde(rename = "bounceType")]
    kind: String,
    #[serde(rename = "bounceSubType")]
    sub_type: String,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(rename = "complaintSubType")]
    sub_type: Option<String>,
    timestamp: Option<String>,
}

/// What an event says.
struct Said {
    event: Event,
    /// What it means for the next mail, where it means anything.
    status: Option<MailStatus>,
    /// When it happened.
    at: Option<Timestamp>,
}

const FAILED: &str = "The event could not be noted.";
/// The line of an App whose tenant SES has paused by itself.
const TENANT_PAUSED: &str = "tenant_paused";

/// The App whose tenant SES has paused. What the operator has paused is accounted for by the command.
fn paused(event: &Value) -> Option<Superkey> {
    let by_ses = event["detail"]["data"]["origin"] != "CUSTOMER_MANAGED";
    if event["detail-type"] != "Sending Status Disabled" || !by_ses {
        return None;
    }
    // arn:aws:ses:REGION:ACCOUNT:tenant/NAME/ID, and the name is the stack's and the superkey.
    let name = event["resources"][0].as_str()?.rsplit('/').nth(1)?;
    Superkey::parse(name.split_once('_')?.1)
}

/// Notes the event and writes the line; answers the event's name, or `null` for what is none of SES's events about a
/// passcode's mail.
///
/// # Errors
/// When it could not be noted: Lambda tries again.
pub async fn handle(deps: &Deps, event: LambdaEvent<Value>) -> Result<Value, &'static str> {
    let request_id = &event.context.request_id;
    if let Some(app) = paused(&event.payload) {
        tracing::info!(target: audit::TARGET, event = TENANT_PAUSED, request_id, app = app.as_str(), "audit");
        return Ok(json!(TENANT_PAUSED));
    }
    let Some((said, recipient)) = MailEvent::deserialize(&event.payload["detail"]).ok().and_then(read) else {
        return Ok(Value::Null);
    };
    if let (Some(status), Some(at)) = (said.status, said.at) {
        // A moment that is still to come would hide whatever happens until then.
        let outcome = MailOutcome { status, at: at.min(deps.clock.now()) };
        note_mail(&deps.store, &recipient, outcome).await.map_err(|error| {
            tracing::error!(request_id, step = FAILED, cause = %Causes(&*error), "failed");
            FAILED
        })?;
    }
    said.event.log(request_id, &recipient.app, &recipient.cuid);
    Ok(json!(said.event.name()))
}

/// The sub-types of what was not even tried: SES's own list, the account's, and a tenant's.
fn is_suppressed(sub_type: &str) -> bool {
    matches!(sub_type, "Suppressed" | "OnAccountSuppressionList" | "OnTenantSuppressionList")
}

fn read(event: MailEvent) -> Option<(Said, Recipient)> {
    let Mail { timestamp: sent, tags } = event.mail;
    let (name, status, happened) = match event.event_type.as_str() {
        "Bounce" => {
            let bounce = event.bounce?;
            let (name, status) = match bounce.kind.as_str() {
                _ if is_suppressed(&bounce.sub_type) => (Event::MailSuppressed, Some(MailStatus::Suppressed)),
                "Permanent" => (Event::MailBounced, Some(MailStatus::Bounced)),
                // A full mailbox, content that was refused, or a reply that nobody can read: the next one may arrive.
                _ => (Event::MailBouncedForNow, None),
            };
            (name, status, bounce.timestamp)
        }
        "Complaint" => {
            let complaint = event.complaint?;
            let (name, status) = match complaint.sub_type.as_deref() {
                Some(sub_type) if is_suppressed(sub_type) => (Event::MailSuppressed, MailStatus::Suppressed),
                _ => (Event::MailComplaint, MailStatus::Complained),
            };
            (name, Some(status), complaint.timestamp)
        }
        "Reject" => (Event::MailRejected, None, None),
        "DeliveryDelay" => (Event::MailDelayed, None, None),
        _ => return None,
    };
    let Tags { app: (app,), cuid: (cuid,), address } = tags;
    let (app, cuid) = (Superkey::parse(&app)?, Cuid::parse(&cuid)?);
    // What cannot be told from another address's changes nothing.
    let address_hash = address.map(|(hash,)| hash).filter(|hash| !hash.is_empty());
    let status = status.filter(|_| address_hash.is_some());
    let recipient = Recipient { app, cuid, address_hash: address_hash.unwrap_or_default() };
    let at = happened.as_deref().and_then(Timestamp::from_rfc3339).or_else(|| Timestamp::from_rfc3339(&sent));
    Some((Said { event: name, status, at }, recipient))
}
