//! Items of DynamoDB: values in, values out.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use crate::Timestamp;

/// One value of an item.
pub type Attribute = AttributeValue;

/// One item, by attribute name.
pub type Item = HashMap<String, Attribute>;

/// A string.
#[must_use]
pub fn text(value: impl Into<String>) -> Attribute {
    Attribute::S(value.into())
}

/// A number.
#[must_use]
pub fn number(value: u64) -> Attribute {
    Attribute::N(value.to_string())
}

/// Bytes.
#[must_use]
pub fn bytes(value: impl Into<Vec<u8>>) -> Attribute {
    Attribute::B(Blob::new(value))
}

/// The attribute by which DynamoDB tidies an item up after this moment. It decides nothing.
#[must_use]
pub fn ttl(after: Timestamp) -> Attribute {
    number(after.as_millis() / 1000 + 1)
}

/// An item of these attributes.
#[must_use]
pub fn item<const N: usize>(attributes: [(&str, Attribute); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Reading attributes: a missing one and one of another type are alike.
pub trait ItemExt {
    /// A string attribute.
    fn text(&self, name: &str) -> Option<&str>;
    /// A whole number that is not negative.
    fn number(&self, name: &str) -> Option<u64>;
    /// A moment, kept in milliseconds.
    fn timestamp(&self, name: &str) -> Option<Timestamp>;
    /// Bytes.
    fn bytes(&self, name: &str) -> Option<&[u8]>;
    /// The members of a set of strings; none where there is no set.
    fn texts(&self, name: &str) -> &[String];
    /// The members of a set of bytes; none where there is no set.
    fn byte_strings(&self, name: &str) -> &[Blob];
    /// The whole numbers of a list; none where there is no list.
    fn numbers(&self, name: &str) -> Vec<u64>;
    /// A map.
    fn map(&self, name: &str) -> Option<&Item>;
}

impl ItemExt for Item {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_s().ok().map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_n().ok()?.parse().ok()
    }

    fn timestamp(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.get(name)?.as_b().ok().map(AsRef::as_ref)
    }

    fn texts(&self, name: &str) -> &[String] {
        self.get(name).and_then(|value| value.as_ss().ok()).map_or(&[], Vec::as_slice)
    }

    fn byte_strings(&self, name: &str) -> &[Blob] {
        self.get(name).and_then(|value| value.as_bs().ok()).map_or(&[], Vec::as_slice)
    }

    fn numbers(&self, name: &str) -> Vec<u64> {
        let list = self.get(name).and_then(|value| value.as_l().ok()).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|value| value.as_n().ok()?.parse().ok()).collect()
    }

    fn map(&self, name: &str) -> Option<&Item> {
        self.get(name)?.as_m().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_of_another_type_reads_as_missing() {
        let item = Item::from([("n".to_owned(), text("1")), ("s".to_owned(), number(1))]);
        assert_eq!(item.number("n"), None);
        assert_eq!(item.text("s"), None);
        assert_eq!(item.bytes("absent"), None);
        assert!(item.byte_strings("s").is_empty());
    }
}
