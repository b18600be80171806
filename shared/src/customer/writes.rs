//! Writes of a customer's record and guard, which say some things alike: each is one transaction, on the condition that
//! the record is as it was read.

use super::{Customer, EMAIL_VERIFIED, guard_key, mail, record_key};
use crate::{
    Store, Timestamp,
    email::EmailAddress,
    id::Cuid,
    passcode,
    profile::LANGUAGE,
    status::STATUS,
    store::{Attribute, Conditional, Conditions, Outcome, StoreError, Transaction, Update, number, text},
};

/// How often a write that met another one begins anew.
const ATTEMPTS: usize = 5;

/// What record and guard say alike is as it was read.
#[must_use]
pub fn as_read(customer: &Customer) -> Conditions {
    let same_mail = mail::unchanged(Conditions::default(), customer.mail);
    same_mail
        .equal("email", text(&customer.email))
        .equal("epoch", number(customer.subject.epoch))
        .equal(STATUS, customer.status.attribute())
        .unchanged(LANGUAGE, customer.field(LANGUAGE).map(text))
        .unchanged(EMAIL_VERIFIED, customer.email_verified.then_some(Attribute::Bool(true)))
}

/// The guard is still this customer's.
#[must_use]
pub fn its_own(cuid: &Cuid) -> Conditions {
    Conditions::default().equal("cuid", text(cuid.as_str()))
}

/// Writes these fields of the record, and to the guard what it says alike. Others stay as other callers write them
/// meanwhile. Answers the customer as written, or nothing where the record is gone.
///
/// # Errors
/// As [`revoke_all`].
pub async fn change_profile(
    store: &Store,
    customer: Customer,
    changes: &[(&'static str, Option<String>)],
) -> Result<Option<Customer>, StoreError> {
    let key = record_key(&customer.subject.cuid);
    let update = || {
        let set = |update: Update, (name, value): &(&str, Option<String>)| {
            update.set_or_remove(name, value.as_ref().map(text))
        };
        changes.iter().fold(Update::of(&key), set)
    };
    let Some((_, language)) = changes.iter().find(|(name, _)| *name == LANGUAGE) else {
        let update = update().only_if(Conditions::default().exists("cuid")).answering_item();
        return Ok(match store.update(update).await? {
            Conditional::Done(item) => Customer::from_item(&item),
            Conditional::Refused(_) => None,
        });
    };
    let mut read = Some(customer);
    for _ in 0..ATTEMPTS {
        let Some(mut customer) = read else { return Ok(None) };
        let (cuid, app) = (&customer.subject.cuid, &customer.subject.app);
        let address = EmailAddress::on_record(&customer.email).ok_or("The address on record is none.")?;
        let guard = Update::of(&guard_key(app, &address)).set_or_remove(LANGUAGE, language.as_ref().map(text));
        let transaction = Transaction::new(store)
            .update(update().only_if(Conditions::default().equal("email", text(&customer.email))))?
            .update(guard.only_if(its_own(cuid)))?;
        if matches!(transaction.commit().await?, Outcome::Done) {
            customer.apply(changes);
            return Ok(Some(customer));
        }
        read = store.get(key.clone()).await?.as_ref().and_then(Customer::from_item);
    }
    Err("others kept writing to the customer".into())
}

/// The epoch that ends all pairs and tickets of the ones before it. It is higher than any, those that a restore from a
/// backup took away among them: a count would come by theirs again, and the pairs that they had ended would be good once
/// more.
#[must_use]
pub fn next_epoch(customer: &Customer, now: Timestamp) -> u64 {
    now.as_millis().max(customer.subject.epoch + 1)
}

/// Ends whatever was issued to a customer so far: pairs and tickets by another epoch, and the living passcode. Mails
/// and failures are counted on. Answers the customer as written, or nothing where the record is gone.
///
/// # Errors
/// What DynamoDB or the network answered; others that keep writing to the customer.
pub async fn revoke_all(store: &Store, customer: Customer, now: Timestamp) -> Result<Option<Customer>, StoreError> {
    let change = |customer: &mut Customer| {
        customer.subject.epoch = next_epoch(customer, now);
        ("epoch", number(customer.subject.epoch))
    };
    set_in_both(store, customer, change, Some(now)).await
}

/// Writes the attribute that `change` answers to record and guard alike, and answers the customer as written; nothing
/// where the record is gone. With a moment the living passcode ends, too.
///
/// # Errors
/// As [`revoke_all`].
pub async fn set_in_both(
    store: &Store,
    customer: Customer,
    change: impl Fn(&mut Customer) -> (&'static str, Attribute),
    passcode_ends: Option<Timestamp>,
) -> Result<Option<Customer>, StoreError> {
    let key = record_key(&customer.subject.cuid);
    let mut read = Some(customer);
    for _ in 0..ATTEMPTS {
        let Some(mut customer) = read else { return Ok(None) };
        let address = EmailAddress::on_record(&customer.email).ok_or("The address on record is none.")?;
        let unchanged = as_read(&customer);
        let (name, value) = change(&mut customer);
        let guard = guard_key(&customer.subject.app, &address);
        let mut transaction = Transaction::new(store)
            .update(Update::of(&key).set(name, value.clone()).only_if(unchanged))?
            .update(Update::of(&guard).set(name, value).only_if(its_own(&customer.subject.cuid)))?;
        if let Some(now) = passcode_ends {
            transaction = transaction.update(passcode::ended(&customer.subject.app, &address, now))?;
        }
        if matches!(transaction.commit().await?, Outcome::Done) {
            return Ok(Some(customer));
        }
        read = store.get(key.clone()).await?.as_ref().and_then(Customer::from_item);
    }
    Err("others kept writing to the customer".into())
}
