//! Apps: made, shown, changed, suspended and resumed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::{
    app::{AppRecord, Brand, Grant, record_key},
    fields::Fields,
    id::{Platformkey, Superkey},
    platform::{self, PlatformRecord},
    random,
    status::{STATUS, Status},
    store::{Attribute, number, text},
    token::{Level, Token},
    tokens::Tokens,
};

use crate::{
    Deps, Done, OperatorError,
    fields::{UNKNOWN, finish},
    records::{self, Changes},
    sending, values,
};

pub const APP: OperatorError = OperatorError::NotFound("App");

/// An App without a brand is named in its mails, hence a name that may stand there.
pub async fn create(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let name = fields.required("name", values::brand_name);
    let grants = fields.optional("grants", values::grants);
    let platform = fields.removable("platform", values::platformkey);
    let brand = fields.object("brand", UNKNOWN, brand);
    let is_test = fields.optional("test", values::switch);
    let mails_per_day = fields.optional("mails_per_day", values::mails_per_day);
    let (name, grants, platform, brand) =
        finish(fields, || Some((name?, grants.unwrap_or_default(), platform.flatten(), brand.flatten())))?;
    must_exist(deps, platform.as_ref()).await?;

    let token = Token::new(Level::App)?;
    let mut app = AppRecord {
        superkey: Superkey::new()?,
        name,
        grants,
        platform,
        brand,
        is_test: is_test == Some(true),
        mails_per_day,
        tenant: None,
        sender: None,
        is_mail_suspended: false,
        status: Status::Active,
        tokens: Tokens::new(token.hash()),
        cursor_key: random::bytes::<32>()?.to_vec(),
        created_at: deps.clock.now(),
    };
    records::create(deps, &app.to_item()).await?;
    // The token is told this once, so that nothing that comes after the record makes the command fail.
    let unfinished = match sending::give_tenant(deps, &mut app).await {
        Ok(()) => None,
        Err(OperatorError::Failed(cause)) => Some(cause),
        Err(error) => return Err(error),
    };
    let mut answer = to_json(&app);
    answer["supertoken"] = token.reveal().into();
    if unfinished.is_some() {
        answer["warning"] = "The App has no SES tenant yet. Its mails go out without one; give make_tenants.".into();
    }
    Ok(Done { unfinished, ..Done::with(app.superkey.as_str(), answer) })
}

pub async fn show(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let superkey = finish(fields, || superkey)?;
    let app = sending::read(deps, &superkey).await?;
    Ok(Done::shown(sending::with_statuses(deps, &app).await))
}

pub async fn set_status(deps: &Deps, mut fields: Fields, status: Status) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let superkey = finish(fields, || superkey)?;
    write(deps, &superkey, vec![(STATUS, Some(status.attribute()))]).await
}

/// Changes what is given and nothing else, so that two changes at once do not undo each other.
pub async fn change(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let name = fields.optional("name", values::brand_name);
    let grants = fields.optional("grants", values::grants);
    let platform = fields.removable("platform", values::platformkey);
    let brand = fields.object("brand", UNKNOWN, brand);
    let mails_per_day = fields.removable("mails_per_day", values::mails_per_day);
    let superkey = finish(fields, || superkey)?;
    must_exist(deps, platform.iter().flatten().next()).await?;

    let given = [
        name.map(|name| ("name", Some(text(name)))),
        grants.map(|grants| ("grants", Grant::set(&grants))),
        platform.map(|platform| ("platform", platform.map(|platform| text(platform.as_str())))),
        brand.map(|brand| ("brand", brand.map(|brand| Attribute::M(brand.to_item())))),
        mails_per_day.map(|mails| ("mails_per_day", mails.map(number))),
    ];
    let changes: Changes = given.into_iter().flatten().collect();
    if changes.is_empty() {
        let what = "Nothing to change: give name, grants, platform, brand or mails_per_day.";
        return Err(OperatorError::invalid(what));
    }
    write(deps, &superkey, changes).await
}

async fn write(deps: &Deps, superkey: &Superkey, changes: Changes) -> Result<Done, OperatorError> {
    let app = set(deps, superkey, changes).await?;
    Ok(Done::with(superkey.as_str(), to_json(&app)))
}

/// Changes the record of an App that exists, and answers it as it is then.
pub async fn set(deps: &Deps, superkey: &Superkey, changes: Changes) -> Result<AppRecord, OperatorError> {
    let item = records::change(deps, &record_key(superkey), |_| Some(changes.clone())).await?;
    item.as_ref().and_then(AppRecord::from_item).ok_or(APP)
}

/// The platform that an App is given must be there.
async fn must_exist(deps: &Deps, platformkey: Option<&Platformkey>) -> Result<(), OperatorError> {
    let Some(platformkey) = platformkey else { return Ok(()) };
    let platform = deps.store.get(platform::record_key(platformkey)).await?;
    platform.as_ref().and_then(PlatformRecord::from_item).map(|_| ()).ok_or(OperatorError::NotFound("platform"))
}

fn brand(fields: &mut Fields) -> Option<Brand> {
    let name = fields.required("name", values::brand_name);
    let from_name = fields.optional("from_name", values::brand_name);
    let reply_to = fields.optional("reply_to", values::email);
    let colour = fields.optional("colour", values::colour);
    let logo_url = fields.optional("logo_url", values::https_url);
    let support_email = fields.optional("support_email", values::email);
    let language = fields.optional("language", values::language);
    let site = fields.optional("site", values::site);
    Some(Brand { name: name?, from_name, reply_to, colour, logo_url, support_email, language, site })
}

/// An App as the operator sees it: everything but hashes and keys of its own.
pub fn to_json(app: &AppRecord) -> Value {
    let mut json = json!({
        "superkey": app.superkey,
        "name": app.name,
        // DynamoDB's sets have no order; what is told has one.
        "grants": app.grants.iter().map(|grant| grant.name()).collect::<BTreeSet<_>>(),
        "status": app.status.name(),
        "mails_per_day": app.mails_per_day(),
        "created_at": app.created_at.to_rfc3339(),
    });
    if app.is_test {
        json["test"] = true.into();
    }
    if let Some(tenant) = &app.tenant {
        json["tenant"] = json!({ "name": tenant.name });
    }
    if let Some(sender) = &app.sender {
        json["sender"] = json!({ "from_address": sender.address, "status": sending::status(sender) });
    }
    if app.is_mail_suspended {
        json["mail"] = "suspended".into();
    }
    if let Some(platform) = &app.platform {
        json["platform"] = platform.as_str().into();
    }
    if let Some(brand) = &app.brand {
        let given = brand.optional_fields().into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let fields: Map<_, _> =
            given.chain([("name", &*brand.name)]).map(|(name, value)| (name.to_owned(), value.into())).collect();
        json["brand"] = fields.into();
    }
    json
}
