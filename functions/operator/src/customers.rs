//! Customers: shown, changed, suspended, revoked and erased.
//!
//! What stands twice (record and guard) is written in one transaction, on the condition that the record is as it was
//! read; where it is not, the command begins anew.

mod change;

pub use change::change;
use serde_json::{Value, json};
use shared::{
    credential,
    customer::{Customer, guard_key, record_key},
    email::EmailAddress,
    fields::Fields,
    id::{Cuid, CustomerKey},
    passcode,
    status::{STATUS, Status},
    store::{Attribute, Conditional, Conditions, Outcome, Transaction, Update, number, text},
};

use crate::{Deps, Done, OperatorError, fields::finish, values};

const CUSTOMER: OperatorError = OperatorError::NotFound("customer");
const PAIR: OperatorError = OperatorError::NotFound("pair of this customer");
/// How often a command that met another writer begins anew.
const ATTEMPTS: usize = 5;

pub async fn show(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let (customer, _) = read(deps, &cuid_alone(fields)?).await?;
    Ok(Done::shown(to_json(&customer)))
}

pub async fn set_status(deps: &Deps, fields: Fields, status: Status) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    let customer = set_in_both(deps, &cuid, |customer| {
        customer.status = status;
        (STATUS, status.attribute())
    });
    Ok(Done::changed(cuid.as_str(), to_json(&customer.await?)))
}

/// Revokes one pair, or by raising the customer's epoch all of them.
pub async fn revoke(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    let key = fields.optional("key", values::customer_key);
    let cuid = finish(fields, || cuid)?;
    match key {
        Some(key) => revoke_one(deps, &cuid, &key).await?,
        None => {
            set_in_both(deps, &cuid, |customer| {
                // Higher than any before it, those that a restore from a backup took away among them: a count would
                // come by theirs again, and the pairs that they had ended would be good once more.
                customer.subject.epoch = deps.clock.now().as_millis().max(customer.subject.epoch + 1);
                ("epoch", number(customer.subject.epoch))
            })
            .await?;
        }
    }
    let (customer, _) = read(deps, &cuid).await?;
    Ok(Done::changed(cuid.as_str(), to_json(&customer)))
}

async fn revoke_one(deps: &Deps, cuid: &Cuid, key: &CustomerKey) -> Result<(), OperatorError> {
    if key.cuid() != *cuid {
        return Err(PAIR);
    }
    let update = Update::of(&credential::record_key(key))
        .set("revoked_at", number(deps.clock.now().as_millis()))
        .only_if(Conditions::default().equal("cuid", text(cuid.as_str())));
    match deps.store.update(update).await? {
        Conditional::Done(_) => Ok(()),
        Conditional::Refused(_) => Err(PAIR),
    }
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
            return Ok(Done::changed(cuid.as_str(), json!({ "cuid": cuid, "status": "erased" })));
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
    let address = EmailAddress::parse(&customer.email).ok_or(CUSTOMER)?;
    Ok((customer, address))
}

/// Writes the attribute that `change` answers to record and guard alike, and answers the customer as changed.
async fn set_in_both(
    deps: &Deps,
    cuid: &Cuid,
    change: impl Fn(&mut Customer) -> (&'static str, Attribute),
) -> Result<Customer, OperatorError> {
    for _ in 0..ATTEMPTS {
        let (mut customer, address) = read(deps, cuid).await?;
        let unchanged = as_read(&customer);
        let (name, value) = change(&mut customer);
        let guard = guard_key(&customer.subject.app, &address);
        let transaction = Transaction::new(&deps.store)
            .update(Update::of(&record_key(cuid)).set(name, value.clone()).only_if(unchanged))?
            .update(Update::of(&guard).set(name, value).only_if(its_own(cuid)))?;
        if matches!(transaction.commit().await?, Outcome::Done) {
            return Ok(customer);
        }
    }
    Err(contended())
}

/// What stands twice is as it was read.
fn as_read(customer: &Customer) -> Conditions {
    Conditions::default()
        .equal("email", text(&customer.email))
        .equal("epoch", number(customer.subject.epoch))
        .equal(STATUS, customer.status.attribute())
        .unchanged("country", customer.country().map(text))
}

/// The guard is still this customer's.
fn its_own(cuid: &Cuid) -> Conditions {
    Conditions::default().equal("cuid", text(cuid.as_str()))
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
