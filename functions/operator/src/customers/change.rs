//! Changing a customer's fields, the address too.

use shared::{
    app::{self, AppRecord},
    customer::{self, Customer, EMAIL_VERIFIED, MailOutcome, as_read, guard_key, its_own, record_key},
    email::EmailAddress,
    fields::Fields,
    id::Cuid,
    passcode,
    profile::{LANGUAGE, Profile},
    store::{Attribute, Conditions, ItemExt, Outcome, StoreError, Table, Transaction, Update, number, text},
};

use super::{ATTEMPTS, contended, read, to_json};
use crate::{
    Deps, Done, OperatorError,
    apps::APP,
    fields::{finish, in_words},
    values,
};

pub async fn change(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let cuid = fields.required("cuid", values::cuid);
    let keep_pairs = fields.optional("keep_pairs", values::switch);
    let changes = Profile::take(&mut fields);
    let cuid = finish(fields, || cuid)?;
    if changes.email.is_none() && changes.values.is_empty() {
        return Err(OperatorError::invalid("Nothing to change: give a field of a customer."));
    }
    for _ in 0..ATTEMPTS {
        let (before, address) = read(deps, &cuid).await?;
        if let Some(address) = &changes.email {
            let app = deps.store.get(app::record_key(&before.subject.app)).await?;
            let app = app.as_ref().and_then(AppRecord::from_item).ok_or(APP)?;
            app.check_address(address).map_err(|why| OperatorError::invalid(&in_words("email", why)))?;
        }
        let (mut after, new_address) = apply(&before, &address, &changes);
        if address.lookup_hash() != new_address.lookup_hash() {
            after.email_verified = false;
            after.mail = None;
            // Whoever had the old address may hold pairs.
            if keep_pairs != Some(true) {
                after.subject.epoch = customer::next_epoch(&before, deps.clock.now());
            }
        }
        let transaction = write(deps, (&before, &address), (&after, &new_address), &changes)?;
        match transaction.commit().await? {
            Outcome::Done => return Ok(Done::with(cuid.as_str(), to_json(&after))),
            Outcome::Refused(refusals) => {
                let guard = refusals.get(1).and_then(|guard| guard.item.as_ref());
                let owner = guard.and_then(|guard| Cuid::parse(guard.text("cuid")?));
                if let Some(owner) = owner.filter(|owner| *owner != cuid) {
                    return Err(OperatorError::AddressTaken { cuid: owner });
                }
            }
        }
    }
    Err(contended())
}

/// The customer as it will be.
fn apply(before: &Customer, address: &EmailAddress, changes: &Profile) -> (Customer, EmailAddress) {
    let address = changes.email.clone().unwrap_or_else(|| address.clone());
    let mut after = Customer { email: address.as_typed().to_owned(), ..before.clone() };
    after.apply(&changes.values);
    (after, address)
}

/// The record's changed attributes, and second the guard. Where the address moves, the guard of the old one and its
/// passcode go too: a code that was mailed to the old address is worth nothing any more.
fn write<'a>(
    deps: &'a Deps,
    (before, old): (&Customer, &EmailAddress),
    (after, new): (&Customer, &EmailAddress),
    changes: &Profile,
) -> Result<Transaction<'a>, StoreError> {
    let (cuid, app) = (&before.subject.cuid, &before.subject.app);
    let alike = Update::of(&record_key(cuid))
        .set("email", text(&after.email))
        .set("epoch", number(after.subject.epoch))
        .set_or_remove(EMAIL_VERIFIED, after.email_verified.then_some(Attribute::Bool(true)));
    let mail = MailOutcome::attributes(after.mail).into_iter();
    let alike = mail.fold(alike, |update, (name, value)| update.set_or_remove(name, value));
    let record = changes
        .values
        .iter()
        .fold(alike, |update, (name, value)| update.set_or_remove(name, value.as_ref().map(text)))
        .only_if(as_read(before));
    let transaction = Transaction::new(&deps.store).update(record)?;
    if old.lookup_hash() == new.lookup_hash() {
        // An update, so that the guard still knows the creation that made it.
        let guard = Update::of(&guard_key(app, new))
            .set("email", text(&after.email))
            .set_or_remove(LANGUAGE, after.field(LANGUAGE).map(text));
        return transaction.update(guard.only_if(its_own(cuid)));
    }
    transaction
        .create(Table::Directory, "app", after.to_guard_item(new))?
        .delete(&guard_key(app, old), its_own(cuid))?
        .delete(&passcode::record_key(app, old), Conditions::default())
}
