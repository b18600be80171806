//! The events of `events/`: what each function is sent, and what it is expected to answer.
//!
//! `<case>.json` is an event as `sam local invoke -e` takes it, and `<case>.expected.json` the answer, in which a `*`
//! stands for whatever is random. Both speak of the records of `events/fixtures.json`.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// One event and its expected answer.
#[derive(Debug)]
pub struct Case {
    /// The function that it is for.
    pub function: String,
    /// What it shows.
    pub name: String,
    /// The event.
    pub event: Value,
    /// The answer; `*` stands for what is random.
    pub expected: Value,
}

/// Every case below the folder `events`, in order.
///
/// # Errors
/// A file that cannot be read, and an event without an expected answer.
pub fn read_all(events: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for function in names(events)? {
        let folder = events.join(&function);
        if !folder.is_dir() {
            continue;
        }
        let files = names(&folder)?;
        let stems = files.iter().filter_map(|file| file.strip_suffix(".json"));
        for name in stems.filter(|name| !name.ends_with(".expected")) {
            cases.push(Case {
                event: read(&folder.join(format!("{name}.json")))?,
                expected: read(&folder.join(format!("{name}.expected.json")))?,
                function: function.clone(),
                name: name.to_owned(),
            });
        }
    }
    ensure!(!cases.is_empty(), "{} holds no events", events.display());
    Ok(cases)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn read(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))
}

impl Case {
    /// Whether a function's answer, as the Lambda Invoke API gives it, is the one expected: for an HTTP function its
    /// status, its body, and those of its headers that are expected.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, answer: &Value) -> Result<()> {
        let actual =
            if self.expected["statusCode"].is_null() { answer.clone() } else { response(answer, &self.expected) };
        ensure!(
            matches(&self.expected, &actual),
            "events/{}/{}.json\nexpected {:#}\n  actual {actual:#}",
            self.function,
            self.name,
            self.expected
        );
        Ok(())
    }
}

/// The parts of an HTTP function's answer that are compared.
fn response(answer: &Value, expected: &Value) -> Value {
    let body = answer["body"].as_str().filter(|body| !body.is_empty());
    let header = |name: &String| {
        let headers = answer["headers"].as_object()?;
        Some((name.clone(), headers.get(name)?.clone()))
    };
    let expected = expected["headers"].as_object();
    let headers = expected.into_iter().flat_map(|headers| headers.keys().filter_map(header)).collect();
    let parts = [
        ("statusCode", answer["statusCode"].clone()),
        ("headers", Value::Object(headers)),
        ("body", body.map_or(Value::Null, |body| serde_json::from_str(body).unwrap_or_else(|_| body.into()))),
    ];
    Value::Object(parts.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

/// Whether `actual` is `expected`; in a string of which a `*` stands for anything.
fn matches(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::String(pattern), _) if pattern == "*" => !actual.is_null(),
        (Value::String(pattern), Value::String(text)) => match pattern.split_once('*') {
            Some((before, after)) => {
                text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
            }
            None => pattern == text,
        },
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| matches(expected, actual))
        }
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(name, value)| actual.get(name).is_some_and(|actual| matches(value, actual)))
        }
        _ => expected == actual,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::matches;

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        assert!(matches(&json!({ "a": "*", "b": ["x*z"] }), &json!({ "a": 1, "b": ["xyz"] })));
        for actual in [json!({ "a": null, "b": ["xz"] }), json!({ "a": 1 }), json!({ "a": 1, "b": ["xz"], "c": 1 })] {
            assert!(!matches(&json!({ "a": "*", "b": ["x*z"] }), &actual), "{actual}");
        }
        assert!(!matches(&json!("aba*aba"), &json!("aba")));
        assert!(!matches(&json!([1]), &json!([1, 1])));
    }
}
