//! The one door by which the records of Apps and platforms are written: each with its copies, all of them or none.

use std::time::Duration;

use serde_json::json;
use shared::{
    copies::{self, COPIES, VERSION},
    fields::Fields,
    store::{Attribute, Conditions, Item, ItemExt, Key, Outcome, StoreError, Table, Transaction, number, text},
};

use crate::{Deps, Done, OperatorError, fields::finish, values};

/// What becomes of a record: attributes by name, each with its new value, or without one where it goes.
pub type Changes = Vec<(&'static str, Option<Attribute>)>;

/// How often a change that met another one begins anew.
const ATTEMPTS: usize = 10;
/// How long copies are looked at in one call; the function has 30 seconds.
const WORKED_ON: Duration = Duration::from_secs(12);
/// How many records one call mends where no limit is given.
const DEFAULT_LIMIT: usize = 100;
/// Records whose copies are read in one call, which names 100 items at most.
const AT_ONCE: usize = 100 / COPIES;

/// Writes a new record.
pub async fn create(deps: &Deps, record: &Item) -> Result<(), OperatorError> {
    match write(deps, record, Conditions::default().missing("key")).await? {
        Outcome::Done => Ok(()),
        Outcome::Refused(_) => Err(OperatorError::Failed("the new record's key is taken".into())),
    }
}

/// Changes what is given of a record and nothing else, and answers the record as it is then; `None` where there is none.
///
/// The whole record is written. Where another command has changed it since it was read, nothing is, and this one is asked
/// again what it makes of the record as it is now: two commands at once do not undo each other.
pub async fn change(
    deps: &Deps,
    key: &Key,
    changes: impl Fn(&Item) -> Option<Changes>,
) -> Result<Option<Item>, OperatorError> {
    let mut read = deps.store.get(key.clone()).await?;
    for _ in 0..ATTEMPTS {
        let Some(before) = read else { return Ok(None) };
        let Some(changes) = changes(&before) else { return Ok(None) };
        let mut record = before.clone();
        for (name, value) in changes {
            match value {
                Some(value) => record.insert(name.to_owned(), value),
                None => record.remove(name),
            };
        }
        record.insert(VERSION.to_owned(), number(before.number(VERSION).unwrap_or_default() + 1));
        let as_read = Conditions::default().exists("key").unchanged(VERSION, before.get(VERSION).cloned());
        match write(deps, &record, as_read).await? {
            Outcome::Done => return Ok(Some(record)),
            Outcome::Refused(refusals) => read = refusals.into_iter().next().and_then(|refusal| refusal.item),
        }
    }
    Err(OperatorError::Failed("others kept changing the record".into()))
}

/// Writes a record with its copies if `conditions` hold of the record that is there.
async fn write(deps: &Deps, record: &Item, conditions: Conditions) -> Result<Outcome, StoreError> {
    let mut transaction = Transaction::new(&deps.store).put_if(Table::Apps, record.clone(), conditions)?;
    for copy in copies::of(record) {
        transaction = transaction.put(Table::Apps, copy)?;
    }
    transaction.commit().await
}

/// Writes the copies that are missing or differ. What was done is in the table, so that a repeated command goes on from
/// there.
pub async fn mend(deps: &Deps, mut fields: Fields) -> Result<Done, OperatorError> {
    let limit = fields.optional("limit", values::limit);
    let limit = finish(fields, || Some(limit.unwrap_or(DEFAULT_LIMIT)))?;
    let until = deps.clock.now() + WORKED_ON;
    let (mut mended, mut after) = (Vec::new(), None);
    loop {
        let page = deps.store.scan(Table::Apps)?.filter_expression("kind IN (:app, :platform)");
        let page = page.expression_attribute_values(":app", text("app"));
        let page = page.expression_attribute_values(":platform", text("platform")).set_exclusive_start_key(after);
        let page = page.send().await.map_err(|error| OperatorError::Failed(error.into()))?;
        for records in page.items().chunks(AT_ONCE) {
            for name in differing(deps, records).await? {
                if mended.len() == limit || deps.clock.now() > until {
                    return Ok(told(mended, true, None));
                }
                match change(deps, &copies::record_key(name), |_| Some(Vec::new())).await {
                    Ok(_) => mended.push(name.to_owned()),
                    Err(OperatorError::Failed(cause)) if !mended.is_empty() => {
                        return Ok(told(mended, true, Some(cause)));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        after = page.last_evaluated_key;
        if after.is_none() {
            return Ok(told(mended, false, None));
        }
    }
}

/// The names of those records whose copies are not as they are.
async fn differing<'a>(deps: &Deps, records: &'a [Item]) -> Result<Vec<&'a str>, StoreError> {
    let names = || records.iter().filter_map(|record| record.text("key"));
    let keys: Vec<_> = names().flat_map(copies::keys).map(Some).collect();
    let found = deps.store.batch_get_all(&keys).await?;
    let as_they_are = records.iter().zip(found.chunks(COPIES)).map(|(record, found)| {
        copies::of(record).iter().zip(found).all(|(copy, found)| found.as_ref().is_some_and(|it| alike(it, copy)))
    });
    Ok(names().zip(as_they_are).filter(|(_, as_it_is)| !as_it_is).map(|(name, _)| name).collect())
}

/// Whether two items say the same. The members of a set come in any order.
fn alike(one: &Item, other: &Item) -> bool {
    let of = |item: &Item, name: &str| match item.get(name) {
        Some(Attribute::Ss(members)) => {
            let mut members = members.clone();
            members.sort();
            Some(Attribute::Ss(members))
        }
        value => value.cloned(),
    };
    one.len() == other.len() && one.keys().all(|name| of(one, name) == of(other, name))
}

/// The keys of the records that were mended.
fn told(mut mended: Vec<String>, more: bool, unfinished: Option<StoreError>) -> Done {
    mended.sort();
    Done { answer: json!({ "mended": mended, "more": more }), subjects: mended, unfinished }
}
