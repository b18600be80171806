//! Rotating the token of an App or a platform.

use std::time::Duration;

use serde_json::json;
use shared::{
    app,
    fields::Fields,
    platform,
    store::{Conditional, Conditions, Item, Key, Update, bytes},
    token::{Level, Token},
    tokens::Tokens,
};

use crate::{
    Deps, Done, OperatorError,
    fields::finish,
    values::{self, CallerKey},
};

/// How often a rotation that met another one begins anew.
const ATTEMPTS: usize = 3;

pub async fn rotate(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let key = fields.required("key", values::caller_key);
    let overlap = fields.optional("overlap_seconds", values::overlap_seconds);
    let (key, overlap) = finish(fields, || Some((key?, Duration::from_secs(overlap.unwrap_or_default()))))?;
    let (name, record_key, level) = match &key {
        CallerKey::App(key) => (key.as_str(), app::record_key(key), Level::App),
        CallerKey::Platform(key) => (key.as_str(), platform::record_key(key), Level::Platform),
    };
    for _ in 0..ATTEMPTS {
        let record = deps.store.get(record_key.clone()).await?;
        let record = record.ok_or(OperatorError::NotFound("App or platform"))?;
        let token = Token::new(level)?;
        if replace(deps, &record_key, &record, &token, overlap).await? {
            return Ok(Done::with(name, json!({ "key": name, "token": token.reveal() })));
        }
    }
    Err(OperatorError::Failed("others kept rotating the token".into()))
}

/// Puts the new token in the place of the one that was read. Answers `false` where another rotation came first: both
/// would have handed out a token, and one of them would be dead.
async fn replace(
    deps: &Deps,
    key: &Key,
    record: &Item,
    token: &Token,
    overlap: Duration,
) -> Result<bool, OperatorError> {
    let current = Tokens::from_item(record).ok_or(OperatorError::NotFound("App or platform"))?;
    let tokens = if overlap.is_zero() {
        Tokens::new(token.hash())
    } else {
        current.rotated(token.hash(), deps.clock.now() + overlap)
    };
    let mut attributes = tokens.to_item();
    let as_read = Conditions::default().unchanged("token_hash", record.get("token_hash").cloned());
    let update = Tokens::ATTRIBUTES
        .into_iter()
        .fold(Update::of(key), |update, name| update.set_or_remove(name, attributes.remove(name)))
        .only_if(as_read);
    Ok(match deps.store.update(update).await? {
        Conditional::Done(_) => true,
        // The SDK repeated a write whose reply was lost, and finds its own token.
        Conditional::Refused(item) => {
            item.is_some_and(|item| item.get("token_hash") == Some(&bytes(*token.hash().as_bytes())))
        }
    })
}
