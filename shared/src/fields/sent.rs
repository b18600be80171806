//! JSON as it was sent, with the names that an object has more than once.
//!
//! Readers differ in which of two values they take. A proxy, a log and a function would see different requests.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A JSON value, and which fields in it were given more than once.
#[derive(Debug)]
pub struct Sent {
    pub(super) value: Value,
    pub(super) repeated: Vec<String>,
}

/// A value that a program made: it has each name once.
impl From<Value> for Sent {
    fn from(value: Value) -> Self {
        Self { value, repeated: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut repeated = Vec::new();
        let value = Part { path: "", repeated: &mut repeated }.deserialize(deserializer)?;
        Ok(Self { value, repeated })
    }
}

/// Reads a part of the value: the one at `path`, whose names are joined with dots.
struct Part<'a> {
    path: &'a str,
    repeated: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Part { path: self.path, repeated: &mut *self.repeated })? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let value = map.next_value_seed(Part { path: &path, repeated: &mut *self.repeated })?;
            if object.insert(name, value).is_some() && !self.repeated.contains(&path) {
                self.repeated.push(path);
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_serde_json_reads() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5",
            r#""a\u00e9""#,
            "[1, [], {}]",
            r#"{"a": {"b": [{"c": null}, {"c": 1}]}}"#,
        ] {
            let sent: Sent = serde_json::from_str(text).unwrap();
            assert_eq!(sent.value, serde_json::from_str::<Value>(text).unwrap());
            assert!(sent.repeated.is_empty(), "{text}");
        }
        assert!(serde_json::from_str::<Sent>(&"[".repeat(5000)).is_err());
    }

    #[test]
    fn a_name_that_comes_again_is_told_once() {
        let text = r#"{"a": 1, "b": {"c": 1, "\u0063": 2}, "a": 2, "a": 3, "d": [{"e": 1, "e": 1}]}"#;
        let sent: Sent = serde_json::from_str(text).unwrap();
        assert_eq!(sent.repeated, ["b.c", "a", "d.e"]);
    }
}
