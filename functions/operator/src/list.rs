//! Lists of Apps and of platforms, which share a table.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shared::{
    app::AppRecord,
    copies::{self, COPIES},
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
    let (mut items, mut last) = (Vec::new(), None);
    loop {
        let wanted = limit - items.len();
        // DynamoDB counts what it reads, not what the filter lets through, which is one of all copies of a record.
        let reply = deps
            .store
            .scan(Table::Apps)?
            .filter_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind))
            .limit(i32::try_from(wanted * (1 + COPIES)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(|key| item([("key", text(key))])))
            .send()
            .await
            .map_err(|error| OperatorError::Failed(error.into()))?;
        let key_of = |item: &Item| item.text("key").map(str::to_owned);
        after = reply.last_evaluated_key.as_ref().and_then(key_of);
        let mut found = reply.items().iter().filter_map(|item| Some((item, to_json(item)?)));
        items.extend(found.by_ref().take(wanted).map(|(item, json)| {
            last = key_of(item);
            json
        }));
        if found.next().is_some() {
            after = last.take();
        }
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

/// A cursor is the key behind which the list goes on, a record's or a copy's.
fn cursor(value: &Value) -> Parsed<String> {
    let bytes = value.as_str().and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| values::caller_key(&copies::name_in(key).into()).is_ok()).ok_or("Must come from an earlier list.")
}
