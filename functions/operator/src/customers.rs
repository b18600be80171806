//! Customers: shown, changed, suspended, revoked and erased.
//!
//! What stands twice (record and guard) is written in one transaction, on the condition that the record is as it was
//! read; where it is not, the command begins anew.

mod change;

pub use change::change;
use serde_json::{Value, json};
use shared::{
    app::status,
    customer::{Customer, guard_key, record_key},
    email::EmailAddress,
    passcode,
    store::{Attribute, Conditional, Item, Key, Outcome, Table, Transaction, number, text},
    token::cuid_of_key,
};

use crate::{Deps, Done, OperatorError, fields::Fields, values};

const CUSTOMER: OperatorError = OperatorError::NotFound("customer");
/// How often a command that met another writer begins anew.
const ATTEMPTS: usize = 5;

pub async fn show(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let (customer, _) = read(deps, &cuid_alone(fields)?).await?;
    Ok(Done::shown(to_json(&customer)))
}

pub async fn set_suspended(deps: &Deps, fields: Fields, suspended: bool) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    let customer = set_in_both(deps, &cuid, |customer| {
        customer.suspended = suspended;
        vec![("status", status(suspended))]
    });
    Ok(Done::changed(&cuid, to_json(&customer.await?)))
}

/// Revokes one pair, or by raising the customer's epoch all of them.
pub async fn revoke(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    let key = fields.optional("key", values::customer_key);
    let cuid = fields.finish(|| cuid)?;
    match key {
        Some(key) => revoke_one(deps, &cuid, &key).await?,
        None => {
            set_in_both(deps, &cuid, |customer| {
                // Higher than any before it, those that a restore from a backup took away among them: a count would
                // come by theirs again, and the pairs that they had ended would be good once more.
                customer.epoch = deps.clock.now().as_millis().max(customer.epoch + 1);
                vec![("epoch", number(customer.epoch))]
            })
            .await?;
        }
    }
    let (customer, _) = read(deps, &cuid).await?;
    Ok(Done::changed(&cuid, to_json(&customer)))
}

async fn revoke_one(deps: &Deps, cuid: &str, key: &str) -> Result<(), OperatorError> {
    if cuid_of_key(key) != Some(cuid) {
        return Err(OperatorError::NotFound("pair of this customer"));
    }
    let record = Key::new(Table::Credentials, "key", key);
    let written = deps.store.update(&record, |request| {
        request
            .update_expression("SET revoked_at = :now")
            .condition_expression("cuid = :cuid")
            .expression_attribute_values(":now", number(deps.clock.now().as_millis()))
            .expression_attribute_values(":cuid", text(cuid))
    });
    match written.await? {
        Conditional::Done(_) => Ok(()),
        Conditional::Refused(_) => Err(OperatorError::NotFound("pair of this customer")),
    }
}

/// Record, guard and passcode go in one transaction. Pairs and tickets die with the record; the TTL tidies them up.
pub async fn erase(deps: &Deps, fields: Fields) -> Result<Done, OperatorError> {
    let cuid = cuid_alone(fields)?;
    for _ in 0..ATTEMPTS {
        let (customer, address) = read(deps, &cuid).await?;
        let transaction = Transaction::new(&deps.store)
            .delete(&record_key(&cuid), |delete| {
                delete
                    .condition_expression("email = :email")
                    .expression_attribute_values(":email", text(&customer.email))
            })?
            .delete(&guard_key(&customer.app, Some(&address)), |delete| {
                delete.condition_expression("cuid = :cuid").expression_attribute_values(":cuid", text(&cuid))
            })?
            .delete(&passcode::record_key(&customer.app, Some(&address)), |delete| delete)?;
        if matches!(transaction.commit().await?, Outcome::Done) {
            return Ok(Done::changed(&cuid, json!({ "cuid": cuid, "status": "erased" })));
        }
    }
    Err(contended())
}

fn cuid_alone(mut fields: Fields) -> Result<String, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    fields.finish(|| cuid)
}

async fn read(deps: &Deps, cuid: &str) -> Result<(Customer, EmailAddress), OperatorError> {
    let [customer] = deps.store.batch_get([record_key(cuid)]).await?;
    let customer = customer.as_ref().and_then(Customer::from_item).ok_or(CUSTOMER)?;
    let address = EmailAddress::parse(&customer.email).ok_or(CUSTOMER)?;
    Ok((customer, address))
}

/// Writes the attributes that `change` answers to record and guard alike, and answers the customer as changed.
async fn set_in_both(
    deps: &Deps,
    cuid: &str,
    change: impl Fn(&mut Customer) -> Vec<(&'static str, Attribute)>,
) -> Result<Customer, OperatorError> {
    for _ in 0..ATTEMPTS {
        let (mut customer, address) = read(deps, cuid).await?;
        let (unchanged, seen) = as_read(&customer);
        let changes = change(&mut customer);
        let set: Vec<_> = changes.iter().map(|(name, _)| format!("#new_{name} = :new_{name}")).collect();
        let expression = format!("SET {}", set.join(", "));
        let names = |name: &str| (format!("#new_{name}"), name.to_owned());
        let values = || changes.iter().map(|(name, value)| (format!(":new_{name}"), value.clone()));
        let transaction = Transaction::new(&deps.store)
            .update(&record_key(cuid), |update| {
                let names = changes.iter().map(|(name, _)| names(name)).chain([("#status".into(), "status".into())]);
                update
                    .update_expression(&expression)
                    .condition_expression(unchanged)
                    .set_expression_attribute_names(Some(names.collect()))
                    .set_expression_attribute_values(Some(seen.into_iter().chain(values()).collect()))
            })?
            .update(&guard_key(&customer.app, Some(&address)), |update| {
                update
                    .update_expression(&expression)
                    .condition_expression("cuid = :cuid")
                    .set_expression_attribute_names(Some(changes.iter().map(|(name, _)| names(name)).collect()))
                    .set_expression_attribute_values(Some(values().chain([(":cuid".to_owned(), text(cuid))]).collect()))
            })?;
        if matches!(transaction.commit().await?, Outcome::Done) {
            return Ok(customer);
        }
    }
    Err(contended())
}

/// The condition that what stands twice is as it was read, with the name `#status`, and its values.
fn as_read(customer: &Customer) -> (String, Item) {
    let mut condition = "email = :seen_email AND epoch = :seen_epoch AND #status = :seen_status AND ".to_owned();
    let mut seen = vec![
        (":seen_email", text(&customer.email)),
        (":seen_epoch", number(customer.epoch)),
        (":seen_status", status(customer.suspended)),
    ];
    if let Some(country) = customer.country() {
        condition.push_str("country = :seen_country");
        seen.push((":seen_country", text(country)));
    } else {
        condition.push_str("attribute_not_exists(country)");
    }
    (condition, seen.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn contended() -> OperatorError {
    OperatorError::Failed("others kept writing to the customer".into())
}

/// A customer as the operator sees it.
fn to_json(customer: &Customer) -> Value {
    let mut json = customer.to_json();
    json["app"] = customer.app.as_str().into();
    json["status"] = if customer.suspended { "suspended" } else { "active" }.into();
    json
}
