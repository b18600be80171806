//! An answer for a terminal.

use serde_json::Value;

/// Columns of a list come in this order, and others behind them.
const FIRST: [&str; 4] = ["superkey", "platformkey", "name", "status"];
/// A longer value is cut in a list.
const WIDEST: usize = 48;

/// One line a field, or for a list a table.
pub fn answer(answer: &Value) -> String {
    let Some(items) = answer["items"].as_array() else { return fields(answer) };
    let mut text = list(items);
    if let Some(cursor) = answer["cursor"].as_str() {
        text.extend(["More remain: add cursor=", cursor, "\n"]);
    }
    text
}

fn list(items: &[Value]) -> String {
    let mut columns: Vec<&str> =
        FIRST.into_iter().filter(|name| items.iter().any(|it| it.get(name).is_some())).collect();
    for (name, value) in items.iter().filter_map(Value::as_object).flatten() {
        // An object is left to the command that shows one item.
        if !columns.contains(&&**name) && !value.is_object() {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return "Nothing.\n".to_owned();
    }
    let head = columns.iter().map(|name| name.to_uppercase()).collect();
    let row =
        |item: &Value| columns.iter().map(|name| item.get(name).map(|it| cut(&cell(it))).unwrap_or_default()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(items.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

fn fields(item: &Value) -> String {
    let mut rows = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                rows.extend(inner.iter().map(|(inner, value)| (format!("{name}.{inner}"), cell(value))));
            }
            value => rows.push((name.clone(), cell(value))),
        }
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().fold(String::new(), |text, (name, value)| text + &format!("{name:width$}  {value}\n"))
}

/// A value for a terminal. Text from elsewhere must not move the cursor.
pub fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().filter(|char| !char.is_control()).collect(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::answer;

    #[test]
    fn a_list_becomes_a_table() {
        let items = json!([
            { "name": "A\u{1b}[2J", "grants": ["passcode", "nopasscode"], "superkey": "k", "brand": { "name": "B" } },
            { "name": "Another", "superkey": "kk", "url": format!("https://{}", "x".repeat(60)) },
        ]);
        let shown = answer(&json!({ "items": items, "cursor": "c" }));
        let cut = format!("https://{}…", "x".repeat(39));
        assert_eq!(
            shown,
            format!(
                "SUPERKEY  NAME     GRANTS                URL\n\
                 k         A[2J     passcode, nopasscode\n\
                 kk        Another                        {cut}\n\
                 More remain: add cursor=c\n"
            )
        );
        assert_eq!(answer(&json!({ "items": [] })), "Nothing.\n");
    }

    #[test]
    fn one_record_is_a_line_a_field() {
        assert_eq!(answer(&json!({ "brand": { "name": "B" }, "name": "A" })), "brand.name  B\nname        A\n");
    }
}
