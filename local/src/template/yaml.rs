//! YAML to JSON: every short form (`!Ref X`) becomes its long form (`{"Ref": "X"}`), so that the rest of this module
//! sees one notation.

use anyhow::{Context, Result, bail};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Tagged;

/// The intrinsic functions that this stand for the template understands, by their long names.
const KNOWN: [&str; 10] =
    ["Ref", "Fn::Sub", "Fn::GetAtt", "Fn::If", "Fn::Select", "Fn::Split", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"];

/// Parses `text` and brings it into long form.
///
/// # Errors
/// Text that is not YAML, a key given twice, and any intrinsic function outside `KNOWN`, which is named.
pub fn parse(text: &str) -> Result<Value> {
    let Long(value) = serde_saphyr::from_str(text).context("the template is not valid YAML")?;
    check(&value)?;
    Ok(value)
}

/// Refuses long forms that are not known; short forms were refused while parsing.
fn check(value: &Value) -> Result<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.starts_with("Fn::") && !KNOWN.contains(&name.as_str()) {
                    bail!("the template uses {name}, which the local system does not understand");
                }
                check(field)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A node whose tag, if it had one, has been turned into the long form.
struct Long(Value);

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Untagged(value), tag) = Tagged::deserialize(deserializer)?;
        let Some(tag) = tag.filter(|tag| tag.starts_with('!')) else { return Ok(Self(value)) };
        let short = tag.trim_start_matches('!');
        let (name, value) = match (short, value) {
            ("Ref" | "Condition", value) => (short.to_owned(), value),
            // The short form may name resource and attribute in one string.
            ("GetAtt", Value::String(dotted)) => {
                let (resource, attribute) = dotted
                    .split_once('.')
                    .ok_or_else(|| D::Error::custom(format!("!GetAtt {dotted} names no attribute")))?;
                ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
            }
            (_, value) => (format!("Fn::{short}"), value),
        };
        if name != "Condition" && !KNOWN.contains(&name.as_str()) {
            return Err(D::Error::custom(format!("!{short} is not understood by the local system")));
        }
        Ok(Self(Value::Object(Map::from_iter([(name, value)]))))
    }
}

/// A node without regard to its own tag; its children are [`Long`].
struct Untagged(Value);

impl<'de> Deserialize<'de> for Untagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Self)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a YAML node")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Long(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Long(field))) = access.next_entry::<String, Long>()? {
            fields.insert(name, field);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn short_forms_become_long_forms() {
        let parsed = parse(
            "a: !Ref Foo\nb: !If [C, !Sub 'x${Y}', !Ref AWS::NoValue]\nc: !GetAtt T.Arn\nd: !Not [!Condition C]\n",
        );
        assert_eq!(
            parsed.unwrap(),
            json!({
                "a": {"Ref": "Foo"},
                "b": {"Fn::If": ["C", {"Fn::Sub": "x${Y}"}, {"Ref": "AWS::NoValue"}]},
                "c": {"Fn::GetAtt": ["T", "Arn"]},
                "d": {"Fn::Not": [{"Condition": "C"}]},
            })
        );
    }

    #[test]
    fn an_unknown_intrinsic_is_named() {
        let short = parse("a: !ImportValue X\n").unwrap_err();
        assert!(format!("{short:#}").contains("!ImportValue"), "{short:#}");
        let long = parse("a: {Fn::Join: [',', [x]]}\n").unwrap_err();
        assert!(format!("{long:#}").contains("Fn::Join"), "{long:#}");
    }
}
