//! Rotating the token of an App or a platform.

use std::time::Duration;

use serde_json::json;
use shared::{
    app,
    fields::Fields,
    platform,
    token::{Level, Token},
    tokens::Tokens,
};

use crate::{
    Deps, Done, OperatorError,
    fields::finish,
    records,
    values::{self, CallerKey},
};

pub async fn rotate(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let key = fields.required("key", values::caller_key);
    let overlap = fields.optional("overlap_seconds", values::overlap_seconds);
    let (key, overlap) = finish(fields, || Some((key?, Duration::from_secs(overlap.unwrap_or_default()))))?;
    let (name, record_key, level) = match &key {
        CallerKey::App(key) => (key.as_str(), app::record_key(key), Level::App),
        CallerKey::Platform(key) => (key.as_str(), platform::record_key(key), Level::Platform),
    };
    let token = Token::new(level)?;
    // Where another rotation comes first, this one follows it: the latest token is the one that is good.
    let rotated = records::change(deps, &record_key, |record| {
        let tokens = if overlap.is_zero() {
            Tokens::new(token.hash())
        } else {
            Tokens::from_item(record)?.rotated(token.hash(), deps.clock.now() + overlap)
        };
        let mut attributes = tokens.to_item();
        Some(Tokens::ATTRIBUTES.map(|name| (name, attributes.remove(name))).into())
    });
    rotated.await?.ok_or(OperatorError::NotFound("App or platform"))?;
    Ok(Done::with(name, json!({ "key": name, "token": token.reveal() })))
}
