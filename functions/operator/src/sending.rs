//! How an App's mails go out: its SES tenant, and the partner's own sender.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    app::{AppRecord, MAIL_SUSPENDED, SENDER, Sender, TENANT, record_key},
    fields::{Fields, Parsed},
    id::Superkey,
    store::{Attribute, StoreError, Table, text},
};

use crate::{
    Deps, Done, OperatorError,
    apps::{self, APP, to_json},
    fields::finish,
    ses::word,
    values,
};

/// How long Apps are worked on in one call; the function has 30 seconds.
const WORKED_ON: Duration = Duration::from_secs(12);
/// How many Apps one call works on where no limit is given.
const DEFAULT_LIMIT: usize = 100;

pub async fn read(deps: &Deps, superkey: &Superkey) -> Result<AppRecord, OperatorError> {
    let app = deps.store.get(record_key(superkey)).await?;
    app.as_ref().and_then(AppRecord::from_item).ok_or(APP)
}

/// Makes the App's tenant, if it is to have one, and notes it in the record. A test App mails nothing.
pub async fn give_tenant(deps: &Deps, app: &mut AppRecord) -> Result<(), OperatorError> {
    if !deps.ses.has_tenants || app.is_test || deps.ses.has_its_tenant(app) {
        return Ok(());
    }
    let tenant = deps.ses.make_tenant(&app.superkey).await?;
    apps::set(deps, &app.superkey, vec![(TENANT, Some(tenant.attribute()))]).await?;
    app.tenant = Some(tenant);
    Ok(())
}

/// Gives a tenant to each App that has none, or whose tenant lacks what mails are sent with now; or to one App, whatever its
/// record says. What was done is in the records, so that a repeated command goes on from there.
pub async fn make_tenants(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.optional("superkey", values::superkey);
    let limit = fields.optional("limit", values::limit);
    let limit = finish(fields, || Some(limit.unwrap_or(DEFAULT_LIMIT)))?;
    if !deps.ses.has_tenants {
        return Err(OperatorError::invalid(NO_TENANTS));
    }
    if let Some(superkey) = superkey {
        let mut app = AppRecord { tenant: None, ..read(deps, &superkey).await? };
        give_tenant(deps, &mut app).await?;
        return Ok(listed(&[app], false, None));
    }
    let until = deps.clock.now() + WORKED_ON;
    let (mut made, mut after) = (Vec::new(), None);
    loop {
        let page = deps.store.scan(Table::Apps)?.filter_expression("kind = :app");
        let page = page.expression_attribute_values(":app", text("app")).set_exclusive_start_key(after);
        let page = page.send().await.map_err(|error| OperatorError::Failed(error.into()))?;
        let lacks = |app: &AppRecord| !app.is_test && !deps.ses.has_its_tenant(app);
        for mut app in page.items().iter().filter_map(AppRecord::from_item).filter(lacks) {
            if made.len() == limit || deps.clock.now() > until {
                return Ok(listed(&made, true, None));
            }
            match give_tenant(deps, &mut app).await {
                Ok(()) => made.push(app),
                Err(OperatorError::Failed(cause)) if !made.is_empty() => return Ok(listed(&made, true, Some(cause))),
                Err(error) => return Err(error),
            }
        }
        after = page.last_evaluated_key;
        if after.is_none() {
            return Ok(listed(&made, false, None));
        }
    }
}

/// The Apps that were worked on.
fn listed(apps: &[AppRecord], more: bool, unfinished: Option<StoreError>) -> Done {
    let mut items: Vec<Value> = apps.iter().map(to_json).collect();
    items.sort_by_cached_key(|item| ["name", "superkey"].map(|field| item[field].to_string()));
    let subjects = apps.iter().map(|app| app.superkey.as_str().to_owned()).collect();
    Done { answer: json!({ "items": items, "more": more }), subjects, unfinished }
}

/// SES comes first: where it fails, nothing has changed, and where the record fails, the command can be repeated.
pub async fn set_suspended(deps: &Deps, mut fields: Fields, is_suspended: bool) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let superkey = finish(fields, || superkey)?;
    let app = read(deps, &superkey).await?;
    if let Some(tenant) = app.tenant.as_ref().filter(|_| deps.ses.has_tenants) {
        deps.ses.set_sending(tenant, !is_suspended).await?;
    }
    let change = (MAIL_SUSPENDED, is_suspended.then_some(Attribute::Bool(true)));
    let app = apps::set(deps, &superkey, vec![change]).await?;
    Ok(Done::with(superkey.as_str(), with_statuses(deps, &app).await))
}

/// The App with what SES says of its tenant and its sender.
pub async fn with_statuses(deps: &Deps, app: &AppRecord) -> Value {
    let mut json = to_json(app);
    if !deps.ses.has_tenants {
        return json;
    }
    let tenant = async {
        let tenant = app.tenant.as_ref()?;
        Some(deps.ses.sending_status(tenant).await.map(|status| status.unwrap_or_else(|| "missing".to_owned())))
    };
    let identity = async { Some(deps.ses.identity(app.sender.as_ref()?.domain()).await) };
    let (status, identity) = tokio::join!(tenant, identity);
    // Whatever SES says, the record can be shown.
    if let Some(status) = status {
        json["tenant"]["sending"] = word(status.ok().as_deref()).into();
    }
    if let Some(identity) = identity {
        let identity = identity.ok().flatten();
        json["sender"]["verification"] = word(identity.as_ref().map(|it| &*it.verification)).into();
        json["sender"]["dkim"] = word(identity.as_ref().map(|it| &*it.dkim)).into();
        json["sender"]["mail_from"] = word(identity.as_ref().map(|it| &*it.mail_from)).into();
    }
    json
}

/// Sets or takes away the address of the partner's own. Until SES has verified its domain, and whenever it has not, mails
/// come from the deployment's.
pub async fn set_sender(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let address = fields.required("from_address", from_address);
    let (superkey, address) = finish(fields, || Some((superkey?, address?)))?;
    let mut app = read(deps, &superkey).await?;
    let Some(address) = address else {
        write(deps, &superkey, None).await?;
        return Ok(Done::with(superkey.as_str(), json!({ "superkey": superkey, "from_address": null })));
    };
    if !deps.ses.has_tenants {
        return Err(OperatorError::invalid(NO_TENANTS));
    }
    if app.is_test {
        return Err(OperatorError::invalid("A test App mails nothing."));
    }
    give_tenant(deps, &mut app).await?;
    let tenant = app.tenant.as_ref().ok_or(APP)?;
    let mut sender = Sender { address, is_verified: false };
    let identity = deps.ses.make_identity(sender.domain(), tenant).await?;
    let identity = identity.ok_or_else(|| not_ours(sender.domain(), &deps.ses.stack))?;
    sender.is_verified = identity.is_verified;
    write(deps, &superkey, Some(&sender)).await?;
    let records = deps.ses.records(sender.domain(), &identity).into_iter();
    let records = records.map(|[kind, name, value]| json!({ "type": kind, "name": name, "value": value }));
    let answer = json!({
        "superkey": superkey,
        "from_address": sender.address,
        "status": status(&sender),
        "verification": identity.verification,
        "dkim": identity.dkim,
        "mail_from": identity.mail_from,
        "records": records.collect::<Vec<_>>(),
    });
    Ok(Done::with(superkey.as_str(), answer))
}

/// Whether mails come from a sender.
pub const fn status(sender: &Sender) -> &'static str {
    if sender.is_verified { "active" } else { "pending" }
}

async fn write(deps: &Deps, superkey: &Superkey, sender: Option<&Sender>) -> Result<(), OperatorError> {
    apps::set(deps, superkey, vec![(SENDER, sender.map(Sender::attribute))]).await.map(drop)
}

fn from_address(value: &Value) -> Parsed<Option<String>> {
    if value.is_null() { Ok(None) } else { values::email(value).map(Some) }
}

const NO_TENANTS: &str = "Apps have no tenants here: MailTenants is false.";

fn not_ours(domain: &str, stack: &str) -> OperatorError {
    OperatorError::Invalid {
        told: format!(
            "{domain} is an SES identity that this deployment did not make, or may not use. Give it the tag \
             AtomCustomers={stack} to use it."
        ),
        logged: "The domain is an SES identity that this deployment did not make.".to_owned(),
    }
}
