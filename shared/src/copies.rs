//! Copies of the records that requests read of their callers: an App's and a platform's.
//!
//! One item is in one partition, which answers 3,000 consistent reads a second, and each request of an App reads its
//! record. So exact copies of the record stand beside it, and a request reads one of them all at random. The operator's
//! function writes them together (ADR 21).

use crate::{
    random,
    store::{Item, ItemExt, Key, Table, text},
};

/// The numbers of the copies that stand beside a record. A byte of chance divides evenly among all of them where they and
/// the record are a power of two.
const NUMBERS: [u8; 3] = [1, 2, 3];

/// How many copies there are beside a record.
pub const COPIES: usize = NUMBERS.len();

/// What the kind of a copy has behind its record's.
const SUFFIX: &str = "_copy";

/// The attribute that counts a record's changes, so that of two at once none undoes the other.
pub const VERSION: &str = "version";

/// Where a record is.
#[must_use]
pub fn record_key(name: &str) -> Key {
    Key::new(Table::Apps, "key", name)
}

/// Where a request reads a record: one of all places at random. An earlier version wrote no copies; where there is none
/// yet, the record itself is read.
#[must_use]
pub fn any_key(name: &str) -> Key {
    // Without randomness all read the record itself.
    let [byte] = random::bytes().unwrap_or_default();
    match NUMBERS.get(usize::from(byte) % (COPIES + 1)) {
        Some(number) => record_key(&copy_name(name, *number)).or(record_key(name)),
        None => record_key(name),
    }
}

/// Where the copies of a record are.
#[must_use]
pub fn keys(name: &str) -> [Key; COPIES] {
    NUMBERS.map(|number| record_key(&copy_name(name, number)))
}

/// The copies of a record as items. They differ from it in key and kind, so that no list of records has them.
#[must_use]
pub fn of(record: &Item) -> [Item; COPIES] {
    let (name, kind) = (record.text("key").unwrap_or_default(), record.text("kind").unwrap_or_default());
    NUMBERS.map(|number| {
        let mut copy = record.clone();
        copy.insert("key".to_owned(), text(copy_name(name, number)));
        copy.insert("kind".to_owned(), text(format!("{kind}{SUFFIX}")));
        copy
    })
}

/// Whose record an item of this kind is, or a copy of it; `None` where it is of another kind.
#[must_use]
pub fn owner<'a>(item: &'a Item, kind: &str) -> Option<&'a str> {
    let key = item.text("key")?;
    match item.text("kind")?.strip_prefix(kind)? {
        "" => Some(key),
        SUFFIX => Some(name_in(key)),
        _ => None,
    }
}

/// Whose record is at a key, or a copy of it.
#[must_use]
pub fn name_in(key: &str) -> &str {
    key.split_once('#').map_or(key, |(name, _)| name)
}

fn copy_name(name: &str, number: u8) -> String {
    format!("{name}#{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::item;

    #[test]
    fn requests_read_the_record_and_every_copy() {
        let mut left: Vec<Key> = keys("k").map(|key| key.or(record_key("k"))).into();
        left.push(record_key("k"));
        for _ in 0..10_000 {
            let read = any_key("k");
            left.retain(|key| *key != read);
        }
        assert_eq!(left, []);
    }

    #[test]
    fn a_copy_is_its_owners_and_of_a_kind_of_its_own() {
        let record = item([("key", text("k")), ("kind", text("app")), ("name", text("Acme"))]);
        assert_eq!(owner(&record, "app"), Some("k"));
        assert_eq!(owner(&record, "platform"), None);
        for (copy, key) in of(&record).into_iter().zip(keys("k")) {
            assert_eq!(key.attributes()["key"], copy["key"]);
            assert_eq!((owner(&copy, "app"), owner(&copy, "platform")), (Some("k"), None));
            assert_eq!((copy.text("kind"), copy.text("name")), (Some("app_copy"), Some("Acme")));
        }
    }
}
