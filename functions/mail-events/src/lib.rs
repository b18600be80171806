//! What became of a passcode's mail after SES took it: an event of `EventBridge` in, a line of the audit log out.
//!
//! `send-passcode` tags each mail with App and `cuid`, so that the line names the customer and no address.

use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    audit::Event,
    id::{Cuid, Superkey},
};

/// What is read of SES's event. Whoever else wrote one is answered `null`, and nothing is logged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MailEvent {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
struct Mail {
    tags: Tags,
}

/// Each tag has a list of values, of which there is one.
#[derive(Deserialize)]
struct Tags {
    app: (String,),
    cuid: (String,),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_sub_type: String,
}

/// Writes the line; answers the event's name, or `null` for what is none of SES's events about a passcode's mail.
#[must_use]
pub fn handle(event: &LambdaEvent<Value>) -> Value {
    let Some((name, app, cuid)) = MailEvent::deserialize(&event.payload["detail"]).ok().and_then(read) else {
        return Value::Null;
    };
    name.log(&event.context.request_id, &app, &cuid);
    json!(name.name())
}

fn read(event: MailEvent) -> Option<(Event, Superkey, Cuid)> {
    let name = match event.event_type.as_str() {
        "Bounce" => match event.bounce?.bounce_sub_type.as_str() {
            // SES's own list, or the account's: the mail was not even tried.
            "Suppressed" | "OnAccountSuppressionList" => Event::MailSuppressed,
            _ => Event::MailBounced,
        },
        "Complaint" => Event::MailComplaint,
        "Reject" => Event::MailRejected,
        "DeliveryDelay" => Event::MailDelayed,
        _ => return None,
    };
    let Tags { app: (app,), cuid: (cuid,) } = &event.mail.tags;
    Some((name, Superkey::parse(app)?, Cuid::parse(cuid)?))
}
