//! Lists of Apps and of platforms, which share a table.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shared::{
    app::AppRecord,
    fields::{Fields, Parsed},
    platform::PlatformRecord,
    store::{Item, ItemExt, Table, item, text},
};

use crate::{Deps, Done, OperatorError, apps, fields::finish, platforms, values};

/// How many items a list has where no limit is given.
const DEFAULT_LIMIT: usize = 100;

pub async fn apps(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    list(deps, fields, "app", |item| AppRecord::from_item(item).as_ref().map(apps::to_json)).await
}

pub async fn platforms(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    list(deps, fields, "platform", |item| PlatformRecord::from_item(item).as_ref().map(platforms::to_json)).await
}

async fn list(
    deps: &Deps,
    mut fields: Fields,
    kind: &str,
    to_json: impl Fn(&Item) -> Option<Value>,
) -> Result<Done, OperatorError> {
    let limit = fields.optional("limit", values::limit);
    let mut after = fields.optional("cursor", cursor);
    let limit = finish(fields, || Some(limit.unwrap_or(DEFAULT_LIMIT)))?;
    let mut items = Vec::new();
    loop {
        // DynamoDB counts what it reads, not what the filter lets through: no more than are wanted can come.
        let reply = deps
            .store
            .scan(Table::Apps)?
            .filter_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind))
            .limit(i32::try_from(limit - items.len()).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(|key| item([("key", text(key))])))
            .send()
            .await
            .map_err(|error| OperatorError::Failed(error.into()))?;
        items.extend(reply.items().iter().filter_map(&to_json));
        after = reply.last_evaluated_key.as_ref().and_then(|key| key.text("key")).map(str::to_owned);
        if after.is_none() || items.len() == limit {
            break;
        }
    }
    // DynamoDB's order is that of hashes, which tells nobody anything.
    items.sort_by_cached_key(|item| {
        ["created_at", "name", "superkey", "platformkey"].map(|field| item[field].to_string())
    });
    let mut answer = json!({ "items": items });
    if let Some(key) = after {
        answer["cursor"] = BASE64_URL_SAFE_NO_PAD.encode(key).into();
    }
    Ok(Done::shown(answer))
}

/// A cursor is the key behind which the list goes on.
fn cursor(value: &Value) -> Parsed<String> {
    let bytes = value.as_str().and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| values::caller_key(&key.as_str().into()).is_ok()).ok_or("Must come from an earlier list.")
}
