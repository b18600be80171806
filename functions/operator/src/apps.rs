//! Apps: made, shown, changed, suspended and resumed.

use aws_sdk_dynamodb::types::ReturnValue;
use serde_json::{Map, Value, json};
use shared::{
    app::{AppRecord, Brand, Grant, Tokens, status},
    platform::PlatformRecord,
    store::{Attribute, Conditional, Item, Key, Table, text},
    token::{Level, Token, new_key},
};

use crate::{Deps, Done, OperatorError, fields::Fields, values};

const APP: OperatorError = OperatorError::NotFound("App");

/// An App without a brand is named in its mails, hence a name that may stand there.
pub async fn create(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let name = fields.required("name", values::brand_name);
    let grants = fields.optional("grants", values::grants);
    let platform = fields.removable("platform", values::platformkey);
    let brand = fields.object("brand", brand);
    let (name, grants, platform, brand) =
        fields.finish(|| Some((name?, grants.unwrap_or_default(), platform.flatten(), brand.flatten())))?;
    must_exist(deps, platform.as_deref()).await?;

    let token = Token::new(Level::App)?;
    let mut cursor_key = vec![0; 32];
    getrandom::fill(&mut cursor_key)?;
    let app = AppRecord {
        superkey: new_key(Level::App)?,
        name,
        grants,
        platform,
        brand,
        suspended: false,
        tokens: Tokens::new(token.hash()),
        cursor_key,
        created_at: deps.clock.now(),
    };
    deps.store.put(Table::Apps, app.to_item()).await?;
    let mut answer = to_json(&app);
    answer["supertoken"] = token.reveal().into();
    Ok(Done::changed(&app.superkey, answer))
}

pub async fn show(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let superkey = fields.finish(|| superkey)?;
    let [app] = deps.store.batch_get([record_key(&superkey)]).await?;
    let app = app.as_ref().and_then(AppRecord::from_item).ok_or(APP)?;
    Ok(Done::shown(to_json(&app)))
}

pub async fn set_suspended(deps: &Deps, mut fields: Fields, suspended: bool) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let superkey = fields.finish(|| superkey)?;
    update(deps, &superkey, vec![("status", Some(status(suspended)))]).await
}

/// Changes what is given and nothing else, so that two changes at once do not undo each other.
pub async fn change(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let name = fields.optional("name", values::brand_name);
    let grants = fields.optional("grants", values::grants);
    let platform = fields.removable("platform", values::platformkey);
    let brand = fields.object("brand", brand);
    let superkey = fields.finish(|| superkey)?;
    must_exist(deps, platform.iter().flatten().next().map(String::as_str)).await?;

    let mut changes = Vec::new();
    changes.extend(name.map(|name| ("name", Some(text(name)))));
    changes.extend(grants.map(|grants| ("grants", grant_set(&grants))));
    changes.extend(platform.map(|platform| ("platform", platform.map(text))));
    changes.extend(brand.map(|brand| ("brand", brand.map(|brand| Attribute::M(brand.to_item())))));
    if changes.is_empty() {
        return Err(OperatorError::Invalid("Nothing to change: give name, grants, platform or brand.".to_owned()));
    }
    update(deps, &superkey, changes).await
}

/// Sets, or removes, these attributes of an App that exists.
async fn update(
    deps: &Deps,
    superkey: &str,
    changes: Vec<(&'static str, Option<Attribute>)>,
) -> Result<Done, OperatorError> {
    let item = update_record(deps, superkey, changes).await?.ok_or(APP)?;
    let app = AppRecord::from_item(&item).ok_or(APP)?;
    Ok(Done::changed(superkey, to_json(&app)))
}

/// Sets, or removes, these attributes of the record at a key; `None` where there is none.
pub async fn update_record(
    deps: &Deps,
    key: &str,
    changes: Vec<(&'static str, Option<Attribute>)>,
) -> Result<Option<Item>, OperatorError> {
    let set = changes.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| format!("#{name} = :{name}"));
    let remove = changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| format!("#{name}"));
    let clauses = [("SET", set.collect::<Vec<_>>()), ("REMOVE", remove.collect())];
    let clauses = clauses.iter().filter(|(_, parts)| !parts.is_empty());
    let expression = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ");
    let key = record_key(key);
    let written = deps.store.update(&key, |request| {
        let mut request = request
            .update_expression(expression)
            .condition_expression("attribute_exists(#key)")
            .expression_attribute_names("#key", "key")
            .return_values(ReturnValue::AllNew);
        for (name, value) in changes {
            request = request.expression_attribute_names(format!("#{name}"), name);
            if let Some(value) = value {
                request = request.expression_attribute_values(format!(":{name}"), value);
            }
        }
        request
    });
    Ok(match written.await? {
        Conditional::Done(item) => Some(item),
        Conditional::Refused(_) => None,
    })
}

/// Where the record of an App or a platform is.
pub fn record_key(key: &str) -> Key {
    Key::new(Table::Apps, "key", key)
}

/// DynamoDB has no empty sets: no grants are no attribute.
fn grant_set(grants: &[Grant]) -> Option<Attribute> {
    let names: Vec<_> = grants.iter().map(|grant| grant.name().to_owned()).collect();
    (!names.is_empty()).then_some(Attribute::Ss(names))
}

/// The platform that an App is given must be there.
async fn must_exist(deps: &Deps, platformkey: Option<&str>) -> Result<(), OperatorError> {
    let Some(platformkey) = platformkey else { return Ok(()) };
    let [platform] = deps.store.batch_get([record_key(platformkey)]).await?;
    platform.as_ref().and_then(PlatformRecord::from_item).map(|_| ()).ok_or(OperatorError::NotFound("platform"))
}

fn brand(fields: &mut Fields) -> Option<Brand> {
    let name = fields.required("name", values::brand_name);
    let from_name = fields.optional("from_name", values::brand_name);
    let reply_to = fields.optional("reply_to", values::email);
    let colour = fields.optional("colour", values::colour);
    let logo_url = fields.optional("logo_url", values::https_url);
    let support_email = fields.optional("support_email", values::email);
    Some(Brand { name: name?, from_name, reply_to, colour, logo_url, support_email })
}

/// An App as the operator sees it: everything but hashes and keys of its own.
pub fn to_json(app: &AppRecord) -> Value {
    let mut json = json!({
        "superkey": app.superkey,
        "name": app.name,
        "grants": app.grants.iter().map(|grant| grant.name()).collect::<Vec<_>>(),
        "status": if app.suspended { "suspended" } else { "active" },
        "created_at": app.created_at.to_rfc3339(),
    });
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
