//! Customers: found, shown, changed, suspended, revoked and erased.
//!
//! What stands twice (record and guard) is written in one transaction, on the condition that the record is as it was
//! read; where it is not, the command begins anew.

mod change;

pub use change::change;
use serde_json::{Value, json};
use shared::{
    app::{self, AppRecord},
    credential,
    customer::{
        Customer, MailOutcome, MailStatus, Recipient, guard_key, its_own, note_mail, record_key, revoke_all,
        set_in_both,
    },
    email::EmailAddress,
    fields::Fields,
    id::Cuid,
    passcode,
    status::{STATUS, Status},
    store::{Conditions, ItemExt, Outcome, Transaction, text},
};

use crate::{Deps, Done, OperatorError, fields::finish, values};

const CUSTOMER: OperatorError = OperatorError::NotFound("customer");
const PAIR: OperatorError = OperatorError::NotFound("pair of this customer");
/// How often a command that met another writer begins anew.
const ATTEMPTS: usize = 5;

pub async fn show(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    let (customer, _) = read(deps, &cuid).await?;
    Ok(Done::with(cuid.as_str(), to_json(&customer)))
}

/// Finds the customer of an App by the address on record.
pub async fn find(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let superkey = fields.required("superkey", values::superkey);
    let address = fields.required("email", values::address);
    let (superkey, address) = finish(fields, || Some((superkey?, address?)))?;
    let keys = [app::record_key(&superkey), guard_key(&superkey, &address)].map(Some);
    let [app, guard] = deps.store.batch_get(keys).await?;
    app.as_ref().and_then(AppRecord::from_item).ok_or(OperatorError::NotFound("App"))?;
    let cuid = guard.as_ref().and_then(|guard| Cuid::parse(guard.text("cuid")?)).ok_or(CUSTOMER)?;
    let (customer, on_record) = read(deps, &cuid).await?;
    // The address may have moved meanwhile.
    if on_record.lookup_hash() != address.lookup_hash() {
        return Err(CUSTOMER);
    }
    Ok(Done::with(cuid.as_str(), to_json(&customer)))
}

pub async fn set_status(deps: &Deps, fields: Fields, status: Status) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    let (customer, _) = read(deps, &cuid).await?;
    let change = |customer: &mut Customer| {
        customer.status = status;
        (STATUS, status.attribute())
    };
    let customer = set_in_both(&deps.store, customer, change, None).await?.ok_or(CUSTOMER)?;
    Ok(Done::with(cuid.as_str(), to_json(&customer)))
}

/// Revokes one pair, or all of them with the living passcode and tickets.
pub async fn revoke(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    let key = fields.optional("key", values::customer_key);
    let cuid = finish(fields, || cuid)?;
    let (mut customer, _) = read(deps, &cuid).await?;
    match key {
        Some(key) if key.cuid() != cuid => return Err(PAIR),
        Some(key) => {
            if !credential::revoke(&deps.store, &key, deps.clock.now()).await? {
                return Err(PAIR);
            }
        }
        None => customer = revoke_all(&deps.store, customer, deps.clock.now()).await?.ok_or(CUSTOMER)?,
    }
    Ok(Done::with(cuid.as_str(), to_json(&customer)))
}

/// Mails to the address on record are tried again: it is off SES's list, and nothing holds them back here.
pub async fn allow_mail(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    for _ in 0..ATTEMPTS {
        let (mut customer, address) = read(deps, &cuid).await?;
        deps.ses.allow(&address).await?;
        let outcome = MailOutcome { status: MailStatus::Arrives, at: deps.clock.now() };
        let app = customer.subject.app.clone();
        let recipient = Recipient { app, cuid: cuid.clone(), address_hash: address.lookup_hash() };
        if note_mail(&deps.store, &recipient, outcome).await? {
            customer.mail = Some(outcome);
            return Ok(Done::with(cuid.as_str(), to_json(&customer)));
        }
    }
    Err(contended())
}

/// Windows of mails, failures in a row and pause begin anew; a living passcode stays, and so do the day's budgets.
pub async fn reset_limits(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    let (customer, address) = read(deps, &cuid).await?;
    passcode::reset_limits(&deps.store, &customer.subject.app, &address).await?;
    Ok(Done::with(cuid.as_str(), to_json(&customer)))
}

/// Record, guard and passcode go in one transaction. Pairs and tickets die with the record; the TTL tidies them up.
pub async fn erase(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    for _ in 0..ATTEMPTS {
        let (customer, address) = read(deps, &cuid).await?;
        let app = &customer.subject.app;
        let transaction = Transaction::new(&deps.store)
            .delete(&record_key(&cuid), Conditions::default().equal("email", text(&customer.email)))?
            .delete(&guard_key(app, &address), its_own(&cuid))?
            .delete(&passcode::record_key(app, &address), Conditions::default())?;
        if matches!(transaction.commit().await?, Outcome::Done) {
            return Ok(Done::with(cuid.as_str(), json!({ "cuid": cuid, "status": "erased" })));
        }
    }
    Err(contended())
}

fn cuid_alone(mut fields: Fields) -> Result<Cuid, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    finish(fields, || cuid)
}

async fn read(deps: &Deps, cuid: &Cuid) -> Result<(Customer, EmailAddress), OperatorError> {
    let customer = deps.store.get(record_key(cuid)).await?;
    let customer = customer.as_ref().and_then(Customer::from_item).ok_or(CUSTOMER)?;
    let address = EmailAddress::on_record(&customer.email).ok_or(CUSTOMER)?;
    Ok((customer, address))
}

fn contended() -> OperatorError {
    OperatorError::Failed("others kept writing to the customer".into())
}

/// A customer as the operator sees it.
fn to_json(customer: &Customer) -> Value {
    let mut json = customer.to_json();
    json["app"] = customer.subject.app.as_str().into();
    json["status"] = customer.status.name().into();
    json
}
