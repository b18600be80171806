//! The template's parameters: defaults, overrides, and the bounds that CloudFormation would enforce.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

/// Values for every parameter: the override where there is one, else the default.
///
/// # Errors
/// An override of a parameter that the template does not have, a parameter with neither default nor override, and
/// a value outside the parameter's bounds; each names the parameter.
pub fn resolve(
    declared: &Map<String, Value>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        let names: Vec<&str> = declared.keys().map(String::as_str).collect();
        bail!("the template has no parameter {unknown}; it has {}", names.join(", "));
    }
    declared
        .iter()
        .map(|(name, declaration)| {
            let value = match overrides.get(name) {
                Some(value) => value.clone(),
                None => scalar(&declaration["Default"]).with_context(|| {
                    format!("parameter {name} has no default: give it with --parameter-overrides {name}=VALUE")
                })?,
            };
            check(declaration, &value).with_context(|| format!("parameter {name}={value}"))?;
            Ok((name.clone(), value))
        })
        .collect()
}

/// A YAML scalar as CloudFormation passes it on: text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn check(declaration: &Value, value: &str) -> Result<()> {
    match declaration["Type"].as_str() {
        Some("String") => {}
        Some("Number") => {
            let number: f64 = value.parse().ok().context("is not a number")?;
            if let Some(least) = bound(declaration, "MinValue")? {
                ensure!(number >= least, "is less than {least}");
            }
            if let Some(most) = bound(declaration, "MaxValue")? {
                ensure!(number <= most, "is more than {most}");
            }
        }
        other => bail!("has the type {other:?}, which the local system does not understand"),
    }
    let length = f64::from(u32::try_from(value.chars().count())?);
    if let Some(least) = bound(declaration, "MinLength")? {
        ensure!(length >= least, "is shorter than {least} characters");
    }
    if let Some(most) = bound(declaration, "MaxLength")? {
        ensure!(length <= most, "is longer than {most} characters");
    }
    if let Some(allowed) = declaration["AllowedValues"].as_array() {
        let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
        ensure!(allowed.iter().any(|one| one == value), "is none of {}", allowed.join(", "));
    }
    if let Some(pattern) = declaration["AllowedPattern"].as_str() {
        let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"))
            .with_context(|| format!("has an AllowedPattern that cannot be read: {pattern}"))?;
        ensure!(whole.is_match(value), "does not match {pattern}");
    }
    Ok(())
}

fn bound(declaration: &Value, name: &str) -> Result<Option<f64>> {
    scalar(&declaration[name])
        .map(|text| text.parse().with_context(|| format!("has a {name} that is not a number")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::resolve;

    fn ttl(overrides: &[(&str, &str)]) -> anyhow::Result<BTreeMap<String, String>> {
        let Value::Object(declared) = json!({
            "Ttl": {"Type": "Number", "Default": 600, "MinValue": 1, "MaxValue": 600},
            "Flag": {"Type": "String", "Default": "true", "AllowedValues": ["true", "false"]},
            "Slot": {"Type": "String", "Default": "A", "AllowedPattern": "[AB]"},
        }) else {
            unreachable!()
        };
        resolve(&declared, &overrides.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect())
    }

    #[test]
    fn defaults_hold_and_overrides_win() {
        let values = ttl(&[("Ttl", "5")]).unwrap();
        assert_eq!((values["Ttl"].as_str(), values["Flag"].as_str()), ("5", "true"));
    }

    #[test]
    fn bounds_are_enforced_by_name() {
        for (name, value, why) in [
            ("Ttl", "601", "parameter Ttl=601: is more than 600"),
            ("Ttl", "0", "parameter Ttl=0: is less than 1"),
            ("Ttl", "x", "parameter Ttl=x: is not a number"),
            ("Flag", "no", "parameter Flag=no: is none of true, false"),
            ("Slot", "AB", "parameter Slot=AB: does not match [AB]"),
            ("Nope", "1", "the template has no parameter Nope; it has Flag, Slot, Ttl"),
        ] {
            assert_eq!(format!("{:#}", ttl(&[(name, value)]).unwrap_err()), why);
        }
    }
}
