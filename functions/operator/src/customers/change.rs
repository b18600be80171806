//! Changing a customer's fields, the address too.

use shared::{
    customer::{Customer, guard_key, record_key},
    email::EmailAddress,
    passcode, profile,
    store::{ItemExt, Outcome, StoreError, Table, Transaction, text},
};

use super::{ATTEMPTS, as_read, contended, read, to_json};
use crate::{Deps, Done, OperatorError, fields::Fields, values};

pub async fn change(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    let changes = profile::Fields::for_change(&fields.rest());
    let cuid = fields.finish(|| cuid)?;
    let changes = changes.map_err(invalid)?;
    if changes.email.is_none() && changes.values.is_empty() {
        return Err(OperatorError::Invalid("Nothing to change: give a field of a customer.".to_owned()));
    }
    for _ in 0..ATTEMPTS {
        let (before, address) = read(deps, &cuid).await?;
        let (after, new_address) = apply(&before, &address, &changes);
        let transaction = write(deps, (&before, &address), (&after, &new_address), &changes)?;
        match transaction.commit().await? {
            Outcome::Done => return Ok(Done::changed(&cuid, to_json(&after))),
            Outcome::Refused(refusals) => {
                let guard = refusals.get(1).and_then(|guard| guard.item.as_ref());
                if let Some(cuid) = guard.and_then(|guard| guard.text("cuid")).filter(|owner| *owner != cuid) {
                    return Err(OperatorError::AddressTaken { cuid: cuid.to_owned() });
                }
            }
        }
    }
    Err(contended())
}

/// Every bad field at once, as a creation tells it.
fn invalid(error: shared::Error) -> OperatorError {
    match error {
        shared::Error::Invalid(violations) => {
            let problems = violations.iter().map(|it| format!("{}: {}", it.field, it.message));
            OperatorError::Invalid(problems.collect::<Vec<_>>().join(" "))
        }
        other => OperatorError::Failed(format!("{other:?}").into()),
    }
}

/// The customer as it will be.
fn apply(before: &Customer, address: &EmailAddress, changes: &profile::Fields) -> (Customer, EmailAddress) {
    let address = changes.email.clone().unwrap_or_else(|| address.clone());
    let value = |name: &'static str| match changes.values.iter().find(|(changed, _)| *changed == name) {
        Some((_, value)) => value.clone(),
        None => before.profile.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()),
    };
    let after = Customer {
        cuid: before.cuid.clone(),
        app: before.app.clone(),
        email: address.as_typed().to_owned(),
        profile: profile::field_names().filter_map(|name| Some((name, value(name)?))).collect(),
        suspended: before.suspended,
        epoch: before.epoch,
        created_at: before.created_at,
    };
    (after, address)
}

/// The record's changed attributes, and second the guard. Where the address moves, the guard of the old one and its
/// passcode go too: a code that was mailed to the old address is worth nothing any more.
fn write<'a>(
    deps: &'a Deps,
    (before, old): (&Customer, &EmailAddress),
    (after, new): (&Customer, &EmailAddress),
    changes: &profile::Fields,
) -> Result<Transaction<'a>, StoreError> {
    let transaction = Transaction::new(&deps.store).update(&record_key(&before.cuid), |mut update| {
        let mut set = vec!["email = :email".to_owned()];
        let mut remove = Vec::new();
        for (name, value) in &changes.values {
            update = update.expression_attribute_names(format!("#{name}"), *name);
            match value {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), text(value));
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let (unchanged, seen) = as_read(before);
        for (name, value) in seen {
            update = update.expression_attribute_values(name, value);
        }
        update
            .update_expression(format!("SET {}{remove}", set.join(", ")))
            .condition_expression(unchanged)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":email", text(&after.email))
    })?;
    let guard = after.to_guard_item(new);
    if old.lookup_hash() == new.lookup_hash() {
        return transaction.put(Table::Directory, guard);
    }
    transaction
        .create(Table::Directory, "app", guard)?
        .delete(&guard_key(&before.app, Some(old)), |delete| {
            delete.condition_expression("cuid = :cuid").expression_attribute_values(":cuid", text(&before.cuid))
        })?
        .delete(&passcode::record_key(&before.app, Some(old)), |delete| delete)
}
