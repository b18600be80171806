//! A request as a line for a shell.

use crate::requests::Record;

/// Headers that belong to the connection, or that curl sends by itself.
pub const OF_THE_CONNECTION: [&str; 6] =
    ["host", "content-length", "connection", "accept-encoding", "accept", "user-agent"];

/// The `curl` that sends `record`, secrets and all, to the API at `api`.
///
/// `None` where not all of its body is kept, or it is no text.
pub fn command(api: &str, record: &Record) -> Option<String> {
    if !record.body.whole {
        return None;
    }
    let mut words = vec!["curl -i".to_owned()];
    if !(record.method == "GET" || (record.method == "POST" && !record.body.text.is_empty())) {
        words.push(format!("-X {}", quoted(&record.method)));
    }
    words.push(quoted(&format!("{api}{}", record.target)));
    let sent = record.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    words.extend(sent.map(|(name, value)| {
        // curl leaves a header without a value out unless it ends in a semicolon.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        format!("-H {}", quoted(&header))
    }));
    if !record.body.text.is_empty() {
        words.push(format!("--data-raw {}", quoted(&record.body.text)));
    }
    Some(words.join(" "))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::command;
    use crate::requests::{Record, Text};

    #[test]
    fn a_request_becomes_a_line_for_a_shell() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "x".parse().unwrap());
        headers.insert("x-access-key", "it's".parse().unwrap());
        let mut record = Record::new("1".to_owned(), "POST", "/customer?a=1", &headers);
        record.body = Text::of(b"{}");
        let line = command("http://127.0.0.1:9000", &record).unwrap();
        assert_eq!(line, r"curl -i 'http://127.0.0.1:9000/customer?a=1' -H 'x-access-key: it'\''s' --data-raw '{}'");
        record.body = Text::of(b"\xff");
        assert_eq!(command("", &record), None);
        let record = Record::new("1".to_owned(), "DELETE", "/x", &HeaderMap::new());
        assert_eq!(command("http://h", &record).unwrap(), "curl -i -X 'DELETE' 'http://h/x'");
    }
}
