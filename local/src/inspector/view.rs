//! The story of a request, as the page is told it.

use serde_json::{Value, json};

use super::{
    explain::{self, Step},
    hide::hide,
};
use crate::{
    dynamodb::Tables,
    requests::{Called, Record},
    time::now_ms,
};

/// The attribute by which records live, in milliseconds since 1970.
pub const EXPIRY: &str = "expires_at";

/// The whole story, its calls explained; with its secrets only if they are `shown`.
pub fn story(record: &Record, tables: &Tables, shown: bool) -> Value {
    let mut story = json!(record);
    if !shown {
        hide(&mut story, false);
    }
    story["calls"] = record.calls.iter().map(|it| call(it, tables, shown)).collect();
    // All of it can be said again only where all of it is kept.
    story["repeatable"] = record.body.whole.into();
    story
}

fn call(call: &Called, tables: &Tables, shown: bool) -> Value {
    let steps: Vec<Value> = explain::steps(call).iter().map(|step| lives(step, tables)).collect();
    let mut told = json!(call);
    told["steps"] = steps.into();
    if call.action == "SendEmail" {
        let simple = &call.request.json().unwrap_or_default()["Content"]["Simple"];
        told["mail"] = json!({
            "id": call.answer.json().unwrap_or_default()["MessageId"],
            "subject": simple["Subject"]["Data"],
            "text": simple["Body"]["Text"]["Data"],
        });
    }
    if !shown {
        hide(&mut told, call.service == "ses");
    }
    told
}

/// A step, and whether its item is alive now and could be let expire.
fn lives(step: &Step, tables: &Tables) -> Value {
    let mut told = json!(step);
    let item = if step.item.is_null() { None } else { tables.get(&step.table, &step.item).ok().flatten() };
    let expires_at = item.as_ref().and_then(|item| item[EXPIRY]["N"].as_str()?.parse::<i64>().ok());
    told["alive"] = expires_at.is_some_and(|expires_at| expires_at > now_ms()).into();
    told
}
