//! An answer for a terminal.

use serde_json::Value;

/// Columns of a list come in this order, and others behind them.
const FIRST: [&str; 7] = ["superkey", "platformkey", "type", "name", "status", "grants", "url"];
/// A longer value is cut in a list.
const WIDEST: usize = 48;

/// One line a field, or for a list a table, in lines of so many columns. Records of DNS are a table to paste, under the rest.
pub fn answer(answer: &Value, room: usize) -> String {
    let Some(items) = answer["items"].as_array() else {
        let records =
            answer["records"].as_array().map(|records| format!("\n{}", list(records, usize::MAX, usize::MAX)));
        return fields(answer) + &records.unwrap_or_default();
    };
    let mut text = list(items, WIDEST, room);
    if let Some(cursor) = answer["cursor"].as_str() {
        text.extend(["More remain: add cursor=", cursor, "\n"]);
    }
    if answer["more"] == true {
        text += "More remain: repeat the command.\n";
    }
    text
}

fn list(items: &[Value], widest: usize, room: usize) -> String {
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
    // A key is of no use in parts; a name is.
    let wide = |column: &str| if column == "name" { widest.min((room / 4).max(16)) } else { widest };
    let row = |item: &Value| {
        let value = |name: &&str| item.get(name).map(|it| cut(&cell(it), wide(name))).unwrap_or_default();
        columns.iter().map(value).collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(items.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let fits = |kept: &usize| widths[..*kept].iter().map(|width| width + 2).sum::<usize>() <= room.saturating_add(2);
    // The first two say which it is.
    let kept = (3..=columns.len()).rev().find(fits).unwrap_or_else(|| columns.len().min(2));
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().zip(&widths).take(kept).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text: String = rows.iter().map(line).collect();
    if kept < columns.len() {
        text.extend(["Not shown for want of room: ", &columns[kept..].join(", "), ". --json shows all.\n"]);
    }
    text
}

fn cut(text: &str, widest: usize) -> String {
    if text.chars().count() <= widest {
        return text.to_owned();
    }
    text.chars().take(widest - 1).chain(['…']).collect()
}

fn fields(item: &Value) -> String {
    let mut rows = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) if items.first().is_some_and(Value::is_object) => {}
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
        let shown = answer(&json!({ "items": items, "cursor": "c" }), usize::MAX);
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
        assert_eq!(answer(&json!({ "items": [] }), 80), "Nothing.\n");
    }

    #[test]
    fn a_table_is_no_wider_than_its_room() {
        let items = json!([{ "superkey": "k", "name": "A", "grants": [], "url": "https://a.example/a" }]);
        let shown = |room| answer(&json!({ "items": items }), room);
        assert_eq!(shown(43), "SUPERKEY  NAME  GRANTS  URL\nk         A             https://a.example/a\n");
        let left_out = "Not shown for want of room: url. --json shows all.\n";
        assert_eq!(shown(42), format!("SUPERKEY  NAME  GRANTS\nk         A\n{left_out}"));
        assert!(shown(1).starts_with("SUPERKEY  NAME\nk         A\n"));
        let named = answer(&json!({ "items": [{ "superkey": "k", "name": "n".repeat(50) }] }), 80);
        assert_eq!(named, format!("SUPERKEY  NAME\nk         {}…\n", "n".repeat(19)));
    }

    #[test]
    fn records_of_dns_are_a_table_to_paste() {
        let name = format!("{}._domainkey.acme.example", "k".repeat(32));
        let records = json!([
            { "type": "CNAME", "name": name, "value": "k.dkim.amazonses.com" },
            { "type": "MX", "name": "bounce.acme.example", "value": "10 feedback-smtp.eu-west-1.amazonses.com" },
        ]);
        assert_eq!(
            answer(&json!({ "records": records, "status": "pending" }), 80),
            format!(
                "status  pending\n\n\
                 TYPE   NAME{:54}VALUE\n\
                 CNAME  {name}  k.dkim.amazonses.com\n\
                 MX     bounce.acme.example{:39}10 feedback-smtp.eu-west-1.amazonses.com\n",
                "", ""
            )
        );
    }

    #[test]
    fn one_record_is_a_line_a_field() {
        assert_eq!(answer(&json!({ "brand": { "name": "B" }, "name": "A" }), 80), "brand.name  B\nname        A\n");
    }
}
