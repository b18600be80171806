//! What is typed, as the event that the function takes.

use anyhow::{Context, Result, bail};
use operator_commands::Command;
use serde_json::{Map, Value};

/// The event of a command with fields as `name=text`, `name:=json` or `object.name=…`.
///
/// # Errors
/// What is no field, and text where the command takes JSON.
pub fn of<'a>(command: &Command, fields: impl Iterator<Item = &'a String>) -> Result<Map<String, Value>> {
    let mut event = Map::from_iter([("command".to_owned(), Value::from(command.name))]);
    for field in fields {
        set(&mut event, command, field)?;
    }
    Ok(event)
}

fn set(event: &mut Map<String, Value>, command: &Command, field: &str) -> Result<()> {
    let (name, value) = field.split_once('=').with_context(|| format!("{field} is not FIELD=VALUE"))?;
    let (name, value) = if let Some(name) = name.strip_suffix(':') {
        let example = command.fields().find(|it| it.name == name).and_then(|it| it.json).unwrap_or("…");
        // A shell takes the quotation marks of JSON for its own.
        let hint = || format!("{name} is not JSON; quote it for the shell, as in '{name}:={example}'");
        (name, serde_json::from_str(value).with_context(hint)?)
    } else if let Some(example) = command.fields().find(|it| it.name == name).and_then(|it| it.json) {
        bail!("{name} takes JSON, with a colon before the equals sign: '{name}:={example}'");
    } else {
        (name, Value::from(value))
    };
    match name.split_once('.') {
        Some((object, name)) => {
            let inner = event.entry(object).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut().with_context(|| format!("{object} is no object"))?.insert(name.to_owned(), value);
        }
        None => {
            event.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use operator_commands::find;
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_become_an_event() {
        let fields =
            ["name=My App", "grants:=[\"passcode\"]", "brand.name=Acme", "brand.colour=#112233", "platform:=null"]
                .map(str::to_owned);
        let event = of(find("create_app").unwrap(), fields.iter()).unwrap();
        let brand = json!({ "name": "Acme", "colour": "#112233" });
        let expected = json!({
            "command": "create_app", "name": "My App", "grants": ["passcode"], "brand": brand, "platform": null
        });
        assert_eq!(Value::Object(event), expected);
    }

    #[test]
    fn what_is_no_field_is_refused_with_a_hint() {
        let refusal = |field: &str| {
            let fields = [field.to_owned()];
            format!("{:#}", of(find("create_app").unwrap(), fields.iter()).unwrap_err())
        };
        assert_eq!(refusal("name"), "name is not FIELD=VALUE");
        let quote = "grants is not JSON; quote it for the shell, as in 'grants:=[\"passcode\"]': ";
        assert!(refusal("grants:=[passcode]").starts_with(quote));
        let hint = "grants takes JSON, with a colon before the equals sign: 'grants:=[\"passcode\"]'";
        assert_eq!(refusal("grants=passcode"), hint);
    }
}
