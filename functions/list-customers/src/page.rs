//! One page of a list: guards in their stable order, the customers behind them, and no more than Lambda can send.

use shared::{
    Store,
    auth::App,
    customer::{Customer, record_key},
    id::Cuid,
    store::{Item, ItemExt, StoreError, Table, item, text},
};

use crate::cursor::Cursor;

/// The largest reply of a function, in bytes of the JSON envelope in which the body is a string.
const MAX_ENVELOPE: usize = 6_291_556;
/// What the envelope takes besides the body: status, headers, and room for a Link header.
const ENVELOPE_REST: usize = 2_048;
/// Guards read in one query where no limit is given.
const GUARDS_PER_QUERY: usize = 1_000;
/// Keys that one batch may have.
const BATCH: usize = 100;

/// Customers as a JSON array.
pub struct Page {
    /// The array.
    pub json: String,
    /// The last customer in it, where more remain.
    pub last: Option<Cursor>,
}

/// The array as it grows, with the length that it will have inside the envelope.
struct Array {
    json: String,
    escaped: usize,
}

impl Array {
    /// Adds an element, unless the reply would become too large.
    fn push(&mut self, element: &str) -> bool {
        let escaped = self.escaped + escaped_length(element) + 1;
        if escaped + ENVELOPE_REST > MAX_ENVELOPE {
            return false;
        }
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push_str(element);
        self.escaped = escaped;
        true
    }

    fn finish(mut self, last: Option<Cursor>) -> Page {
        self.json.push(']');
        Page { json: self.json, last }
    }
}

/// Reads at most `limit` customers of `app` behind `after`: a query of the Directory for each thousand, and the
/// customers in concurrent batches.
pub async fn read_page(
    store: &Store,
    app: &App,
    mut after: Option<Cursor>,
    limit: Option<usize>,
) -> Result<Page, StoreError> {
    let mut array = Array { json: "[".to_owned(), escaped: 2 };
    let mut left = limit.unwrap_or(usize::MAX);
    loop {
        let wanted = left.min(GUARDS_PER_QUERY);
        // One more than wanted tells whether any remain.
        let (mut guards, cut_short) = query(store, app, after.as_ref(), wanted + 1).await?;
        let more = cut_short || guards.len() > wanted;
        guards.truncate(wanted);
        for (guard, customer) in guards.iter().zip(read_customers(store, app, &guards).await?) {
            let position = guard.text("address").map(|address| Cursor(address.to_owned()));
            // A customer erased since the query is not listed.
            if customer.is_some_and(|customer| !array.push(&customer.to_json().to_string())) {
                return Ok(array.finish(after));
            }
            after = position;
        }
        left -= guards.len();
        if !more {
            return Ok(array.finish(None));
        }
        if left == 0 {
            return Ok(array.finish(after));
        }
    }
}

/// The next guards of this App, at most `most`, and whether DynamoDB stopped early: it reads a megabyte at a time.
async fn query(store: &Store, app: &App, after: Option<&Cursor>, most: usize) -> Result<(Vec<Item>, bool), StoreError> {
    let start = after.map(|Cursor(address)| item([("app", text(app.superkey.as_str())), ("address", text(address))]));
    let reply = store
        .query(Table::Directory)?
        .key_condition_expression("app = :app")
        .projection_expression("address, cuid")
        .expression_attribute_values(":app", text(app.superkey.as_str()))
        .set_exclusive_start_key(start)
        .limit(i32::try_from(most)?)
        .send()
        .await?;
    let items = reply.items.unwrap_or_default();
    let cut_short = reply.last_evaluated_key.is_some() && items.len() < most;
    Ok((items, cut_short))
}

/// The customers of these guards, in their order.
async fn read_customers(store: &Store, app: &App, guards: &[Item]) -> Result<Vec<Option<Customer>>, StoreError> {
    let key = |guard: &Item| Cuid::parse(guard.text("cuid")?).as_ref().map(record_key);
    let keys: Vec<_> = guards.iter().map(key).collect();
    let batches = keys.chunks(BATCH).map(|batch| store.batch_get_all(batch));
    let batches = futures_util::future::try_join_all(batches).await?;
    Ok(batches.into_iter().flatten().map(|item| item.as_ref().and_then(|item| app.own(item))).collect())
}

/// The length of `json` as part of a JSON string.
fn escaped_length(json: &str) -> usize {
    json.bytes().map(|byte| if matches!(byte, b'"' | b'\\') { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_in_the_envelope_is_the_one_that_serde_gives_it() {
        let json = serde_json::json!({ "name": "a \"b\" \\ ü \n \u{1}" }).to_string();
        assert_eq!(escaped_length(&json) + 2, serde_json::to_string(&json).unwrap().len());
    }

    #[test]
    fn an_array_stops_before_the_envelope_is_full() {
        let mut array = Array { json: "[".to_owned(), escaped: 2 };
        let element = format!("\"{}\"", "x".repeat(1_000_000));
        while array.push(&element) {}
        let page = array.finish(None);
        assert!(serde_json::to_string(&page.json).unwrap().len() + ENVELOPE_REST <= MAX_ENVELOPE);
        assert_eq!(serde_json::from_str::<Vec<String>>(&page.json).unwrap().len(), 6);
    }
}
