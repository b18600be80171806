//! Platforms: made, shown and changed.

use serde_json::{Value, json};
use shared::{
    fields::Fields,
    id::Platformkey,
    platform::{PlatformRecord, record_key},
    status::{STATUS, Status},
    store::text,
    token::{Level, Token},
    tokens::Tokens,
};

use crate::{
    Deps, Done, OperatorError,
    fields::finish,
    records::{self, Changes},
    values,
};

const PLATFORM: OperatorError = OperatorError::NotFound("platform");

pub async fn create(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let name = fields.required("name", values::name);
    let url = fields.required("url", values::platform_url);
    let (name, url) = finish(fields, || Some((name?, url?)))?;
    let token = Token::new(Level::Platform)?;
    let platform = PlatformRecord {
        platformkey: Platformkey::new()?,
        name,
        url,
        status: Status::Active,
        tokens: Tokens::new(token.hash()),
        created_at: deps.clock.now(),
    };
    records::create(deps, &platform.to_item()).await?;
    let mut answer = to_json(&platform);
    answer["platformtoken"] = token.reveal().into();
    Ok(Done::with(platform.platformkey.as_str(), answer))
}

pub async fn show(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let platformkey = fields.required("platformkey", values::platformkey);
    let platformkey = finish(fields, || platformkey)?;
    let platform = deps.store.get(record_key(&platformkey)).await?;
    let platform = platform.as_ref().and_then(PlatformRecord::from_item).ok_or(PLATFORM)?;
    Ok(Done::shown(to_json(&platform)))
}

pub async fn set_status(deps: &Deps, mut fields: Fields, status: Status) -> Result<Done, OperatorError> {
    let platformkey = fields.required("platformkey", values::platformkey);
    let platformkey = finish(fields, || platformkey)?;
    write(deps, &platformkey, vec![(STATUS, Some(status.attribute()))]).await
}

pub async fn change(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let platformkey = fields.required("platformkey", values::platformkey);
    let name = fields.optional("name", values::name);
    let url = fields.optional("url", values::platform_url);
    let platformkey = finish(fields, || platformkey)?;
    let given = [("name", name), ("url", url.map(String::from))];
    let changes: Changes = given.into_iter().filter_map(|(field, value)| Some((field, Some(text(value?))))).collect();
    if changes.is_empty() {
        return Err(OperatorError::invalid("Nothing to change: give name or url."));
    }
    write(deps, &platformkey, changes).await
}

async fn write(deps: &Deps, platformkey: &Platformkey, changes: Changes) -> Result<Done, OperatorError> {
    let item = records::change(deps, &record_key(platformkey), |_| Some(changes.clone())).await?;
    let platform = item.as_ref().and_then(PlatformRecord::from_item).ok_or(PLATFORM)?;
    Ok(Done::with(platformkey.as_str(), to_json(&platform)))
}

/// A platform as the operator sees it.
pub fn to_json(platform: &PlatformRecord) -> Value {
    json!({
        "platformkey": platform.platformkey,
        "name": platform.name,
        "url": platform.url.as_str(),
        "status": platform.status.name(),
        "created_at": platform.created_at.to_rfc3339(),
    })
}
