//! What becomes of mails, as SES tells it by `EventBridge`: for the addresses of Amazon's mailbox simulator, and for those on
//! the suppression list.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>

use std::{
    collections::BTreeSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::ses::Parts;
use crate::{
    ids,
    template::{ACCOUNT, REGION},
    time,
};

/// The list, and where events go.
#[derive(Default)]
pub struct Outcomes {
    suppressed: Mutex<BTreeSet<String>>,
    bus: OnceLock<UnboundedSender<Told>>,
}

/// An event on its way to its function.
#[derive(Debug)]
pub struct Told {
    /// Lambda's id of the request that it becomes.
    pub request_id: String,
    /// The event.
    pub event: Value,
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrives.
    Arrives,
    /// The recipient's server says that there is nobody.
    Bounces,
    /// It arrives, and is reported as spam.
    IsComplainedOf,
    /// It is not tried: the address is on a list, whose name this is.
    IsSuppressed(&'static str),
}

impl Outcomes {
    /// Where events go from now on.
    pub fn tell(&self, bus: UnboundedSender<Told>) {
        // A second system on one mailbox does not come about.
        let _ = self.bus.set(bus);
    }

    /// Puts an address on the list.
    pub fn suppress(&self, address: &str) {
        self.list().insert(address.to_ascii_lowercase());
    }

    /// Takes an address off the list; says whether it was on it.
    pub fn allow(&self, address: &str) -> bool {
        self.list().remove(&address.to_ascii_lowercase())
    }

    fn list(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.suppressed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a mail to this address.
    fn of(&self, address: &str) -> Outcome {
        let address = address.to_ascii_lowercase();
        if self.list().contains(&address) {
            return Outcome::IsSuppressed("OnAccountSuppressionList");
        }
        let Some(local) = address.strip_suffix("@simulator.amazonses.com") else { return Outcome::Arrives };
        match local.split('+').next().unwrap_or_default() {
            "bounce" => Outcome::Bounces,
            "complaint" => Outcome::IsComplainedOf,
            "suppressionlist" => Outcome::IsSuppressed("Suppressed"),
            _ => Outcome::Arrives,
        }
    }

    /// Decides on a mail that was taken, and tells it.
    pub fn decide(&self, id: &str, parts: &Parts) -> Outcome {
        let Some(address) = parts.to.first() else { return Outcome::Arrives };
        let outcome = self.of(address);
        self.become_known(outcome, id, parts);
        outcome
    }

    /// A mail that was taken comes back. As SES does, it puts the address on the list. Returns the id of the request
    /// that the event becomes.
    pub(super) fn bounce(&self, id: &str, parts: &Parts) -> Option<String> {
        parts.to.iter().for_each(|address| self.suppress(address));
        self.become_known(Outcome::Bounces, id, parts)
    }

    fn become_known(&self, outcome: Outcome, id: &str, parts: &Parts) -> Option<String> {
        let (event, request_id) = (event(outcome, id, parts)?, ids::uuid());
        // Nobody may be listening any more.
        self.bus.get()?.send(Told { request_id: request_id.clone(), event }).ok()?;
        Some(request_id)
    }
}

impl Outcomes {
    /// Tells that SES has paused the tenant with this ARN.
    pub fn tell_of_pause(&self, tenant: &str) {
        let now = time::rfc3339(time::now_ms());
        let record = json!({ "status": "DISABLED", "cause": "The bounce rate exceeded 15.0%." });
        let event = json!({
            "version": "0", "id": ids::uuid(), "detail-type": "Sending Status Disabled", "source": "aws.ses",
            "account": ACCOUNT, "time": now, "region": REGION, "resources": [tenant],
            "detail": { "version": "1.0.0", "data": { "origin": "AWS_SES_MANAGED", "record": record } },
        });
        if let Some(bus) = self.bus.get() {
            // Nobody may be listening any more.
            let _ = bus.send(Told { request_id: ids::uuid(), event });
        }
    }
}

/// The event, in the shape in which `EventBridge` hands it to a function.
fn event(outcome: Outcome, id: &str, parts: &Parts) -> Option<Value> {
    let now = time::rfc3339(time::now_ms());
    let recipients = |more: Value| {
        let one = |address: &String| {
            let mut recipient = more.clone();
            recipient["emailAddress"] = address.as_str().into();
            recipient
        };
        parts.to.iter().map(one).collect::<Value>()
    };
    let bounce = |sub_type: &str, status: &str| {
        let bounced = recipients(json!({ "action": "failed", "status": status }));
        json!({
            "feedbackId": id, "bounceType": "Permanent", "bounceSubType": sub_type, "bouncedRecipients": bounced,
            "timestamp": now,
        })
    };
    let (kind, name, field, told) = match outcome {
        Outcome::Arrives => return None,
        Outcome::Bounces => ("Email Bounced", "Bounce", "bounce", bounce("General", "5.1.1")),
        Outcome::IsSuppressed(list) => ("Email Bounced", "Bounce", "bounce", bounce(list, "5.1.1")),
        Outcome::IsComplainedOf => {
            let complaint = json!({
                "feedbackId": id, "complaintSubType": null, "complainedRecipients": recipients(json!({})),
                "timestamp": now, "complaintFeedbackType": "abuse",
            });
            ("Email Complaint Received", "Complaint", "complaint", complaint)
        }
    };
    let mut tags: serde_json::Map<_, _> =
        parts.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    tags.insert("ses:configuration-set".to_owned(), json!([parts.configuration_set]));
    let mail = json!({
        "timestamp": now, "source": parts.from, "messageId": id, "destination": parts.to, "tags": tags,
    });
    let mut detail = json!({ "eventType": name, "mail": mail });
    detail[field] = told;
    let resource = format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{}", parts.configuration_set);
    Some(json!({
        "version": "0", "id": ids::uuid(), "detail-type": kind, "source": "aws.ses", "account": ACCOUNT, "time": now,
        "region": REGION, "resources": [resource], "detail": detail,
    }))
}
