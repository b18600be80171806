//! Rotating the token of an App or a platform.

use std::time::Duration;

use serde_json::json;
use shared::{
    app::Tokens,
    store::{Conditional, Item, ItemExt, bytes},
    token::{Level, Token, is_key},
};

use crate::{Deps, Done, OperatorError, apps::record_key, fields::Fields, values};

/// How often a rotation that met another one begins anew.
const ATTEMPTS: usize = 3;

pub async fn rotate(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let key = fields.required("key", values::super_or_platformkey);
    let overlap = fields.optional("overlap_seconds", values::overlap_seconds);
    let (key, overlap) = fields.finish(|| Some((key?, Duration::from_secs(overlap.unwrap_or_default()))))?;
    let level = if is_key(Level::App, &key) { Level::App } else { Level::Platform };
    for _ in 0..ATTEMPTS {
        let [record] = deps.store.batch_get([record_key(&key)]).await?;
        let record = record.ok_or(OperatorError::NotFound("App or platform"))?;
        let token = Token::new(level)?;
        if replace(deps, &key, &record, &token, overlap).await? {
            return Ok(Done::changed(&key, json!({ "key": key, "token": token.reveal() })));
        }
    }
    Err(OperatorError::Failed("others kept rotating the token".into()))
}

/// Puts the new token in the place of the one that was read. Answers `false` where another rotation came first: both
/// would have handed out a token, and one of them would be dead.
async fn replace(
    deps: &Deps,
    key: &str,
    record: &Item,
    token: &Token,
    overlap: Duration,
) -> Result<bool, OperatorError> {
    let read = record.bytes("token_hash").unwrap_or_default().to_vec();
    let current = Tokens::from_item(record).ok_or(OperatorError::NotFound("App or platform"))?;
    let expression = if overlap.is_zero() {
        "SET token_hash = :token_hash REMOVE previous_token_hash, previous_expires_at"
    } else {
        "SET token_hash = :token_hash, previous_token_hash = :previous_token_hash, \
         previous_expires_at = :previous_expires_at"
    };
    let tokens = if overlap.is_zero() {
        Tokens::new(token.hash())
    } else {
        current.rotated(token.hash(), deps.clock.now() + overlap)
    };
    let new = bytes(*token.hash().as_bytes());
    let key = record_key(key);
    let written = deps.store.update(&key, |request| {
        let mut request = request
            .update_expression(expression)
            // An SDK's repetition of its own write finds the new hash already.
            .condition_expression("token_hash = :read OR token_hash = :token_hash")
            .expression_attribute_values(":read", bytes(read));
        for (name, value) in tokens.to_item() {
            request = request.expression_attribute_values(format!(":{name}"), value);
        }
        request.expression_attribute_values(":token_hash", new)
    });
    Ok(matches!(written.await?, Conditional::Done(_)))
}
