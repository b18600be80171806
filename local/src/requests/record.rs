//! One request and its story.

use std::time::Instant;

use axum::{
    body::{Body, to_bytes},
    http::HeaderMap,
    response::Response,
};
use serde::Serialize;
use serde_json::Value;

use crate::time::{now_ms, rfc3339};

/// Of a longer text this much is kept, in bytes.
const CLIPPED: usize = 64 * 1024;

/// A text as it came, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The text; what is no UTF-8 in it is replaced.
    pub text: String,
    /// How many bytes the whole of it has.
    pub bytes: usize,
    /// Whether `text` is all of it, byte for byte.
    pub whole: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self::of(b"")
    }
}

impl Text {
    /// The text of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let clipped = &bytes[..bytes.len().min(CLIPPED)];
        let text = String::from_utf8_lossy(clipped);
        Self { whole: text.as_bytes() == bytes, text: text.into_owned(), bytes: bytes.len() }
    }

    /// It as JSON, if all of it is here and it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok().filter(|_| self.whole)
    }
}

/// Which way a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Over the HTTP API.
    Http,
    /// Over the Lambda Invoke API, as the operator's commands do.
    Invoke,
    /// As an event of `EventBridge`'s.
    Event,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// `request_id` as the caller was told it.
    pub id: String,
    /// Requests are numbered as they come.
    pub number: u64,
    /// When it came: RFC 3339, UTC.
    pub at: String,
    /// The same on the clock that measures.
    #[serde(skip)]
    pub came: Instant,
    /// Which way.
    pub direction: Direction,
    /// The HTTP method.
    pub method: String,
    /// Path and query string as they were sent.
    pub target: String,
    /// Names and values as they were sent.
    pub headers: Vec<(String, String)>,
    /// What was sent.
    pub body: Text,
    /// API Gateway's name of the route, or the function and the operator's command.
    pub route: String,
    /// The function behind it.
    pub function: Option<String>,
    /// What the function was given.
    pub event: Option<Text>,
    /// The process that took it.
    pub process: Option<String>,
    /// Whether it was that process's first request.
    pub cold: Option<bool>,
    /// When that was, in milliseconds since it came, as all moments below.
    pub taken_ms: Option<f64>,
    /// What the function called, in order.
    pub calls: Vec<Called>,
    /// What the function wrote.
    pub lines: Vec<Line>,
    /// The function's reply.
    pub reply: Option<Text>,
    /// The function's failure in place of a reply.
    pub failure: Option<Text>,
    /// When it replied or failed.
    pub replied_ms: Option<f64>,
    /// What the caller was answered.
    pub answer: Option<Reply>,
    /// When.
    pub ended_ms: Option<f64>,
}

/// What a caller was answered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reply {
    /// The status; 0 where the connection was cut on purpose.
    pub status: u16,
    /// `code` of an error.
    pub code: Option<String>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Text,
    /// Who answered in place of the function, and why, in plain words.
    pub note: Option<String>,
}

impl Reply {
    /// What is kept of an answer, which lies in memory already, and the answer itself.
    pub async fn of(response: Response) -> (Response, Self) {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = Text::of(&body);
        let json = text.json().unwrap_or_default();
        // An error of the API has a code, one of Lambda a type.
        let code = json["code"].as_str().or(json["errorType"].as_str()).map(str::to_owned);
        let (status, headers) = (parts.status.as_u16(), pairs(&parts.headers));
        let reply = Self { status, code, headers, body: text, note: None };
        (Response::from_parts(parts, Body::from(body)), reply)
    }
}

/// One call of a backend.
#[derive(Clone, Debug, Serialize)]
pub struct Called {
    /// `dynamodb` or `ses`.
    pub service: &'static str,
    /// Such as `GetItem`.
    pub action: String,
    /// What was asked.
    pub request: Text,
    /// What was answered.
    pub answer: Text,
    /// The status of the answer; 0 where the connection was cut instead.
    pub status: u16,
    /// What was made to go wrong, in plain words.
    pub fault: Option<String>,
    /// The statements of the function's policy that allowed it.
    pub allowed_by: Vec<Value>,
    /// When it began.
    pub started_ms: f64,
    /// When it was answered.
    pub ended_ms: f64,
}

/// One line of a function's output.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When it was read.
    pub at_ms: f64,
    /// The line.
    pub text: Text,
}

/// What a list shows of a request.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// As in [`Record`].
    pub id: String,
    /// As in [`Record`].
    pub number: u64,
    /// As in [`Record`].
    pub at: String,
    /// As in [`Record`].
    pub direction: Direction,
    /// As in [`Record`].
    pub route: String,
    /// The path that was asked for, where no route but `$default` takes it.
    pub path: Option<String>,
    /// As in [`Record`].
    pub function: Option<String>,
    /// The answer's; `None` while it is under way.
    pub status: Option<u16>,
    /// The answer's.
    pub code: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: Option<f64>,
    /// As in [`Record`].
    pub cold: Option<bool>,
    /// Calls so far.
    pub calls: usize,
    /// Whether something was made to go wrong.
    pub fault: bool,
    /// What is to be said of it besides, in plain words.
    pub note: Option<String>,
}

impl Record {
    /// A request that has just come over the HTTP API.
    #[must_use]
    pub fn new(id: String, method: &str, target: &str, headers: &HeaderMap) -> Self {
        Self {
            id,
            number: 0,
            at: rfc3339(now_ms()),
            came: Instant::now(),
            direction: Direction::Http,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: pairs(headers),
            body: Text::default(),
            route: format!("{method} (no route)"),
            function: None,
            event: None,
            process: None,
            cold: None,
            taken_ms: None,
            calls: Vec::new(),
            lines: Vec::new(),
            reply: None,
            failure: None,
            replied_ms: None,
            answer: None,
            ended_ms: None,
        }
    }

    /// Milliseconds since it came.
    pub(super) fn elapsed_ms(&self) -> f64 {
        self.ms_at(Instant::now())
    }

    pub(super) fn ms_at(&self, moment: Instant) -> f64 {
        let micros = moment.saturating_duration_since(self.came).as_micros();
        f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
    }

    pub(super) fn end(&mut self, reply: Reply) {
        self.ended_ms = Some(self.elapsed_ms());
        self.answer = Some(reply);
    }

    /// The target without its query.
    fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// What a list shows of it.
    #[must_use]
    pub fn row(&self) -> Row {
        let answer = self.answer.as_ref();
        Row {
            id: self.id.clone(),
            number: self.number,
            at: self.at.clone(),
            direction: self.direction,
            route: self.route.clone(),
            path: self.route.ends_with(" $default").then(|| self.path().to_owned()),
            function: self.function.clone(),
            status: answer.map(|answer| answer.status),
            code: answer.and_then(|answer| answer.code.clone()),
            ms: self.ended_ms,
            cold: self.cold,
            calls: self.calls.len(),
            fault: self.calls.iter().any(|call| call.fault.is_some())
                || answer.is_some_and(|answer| answer.status == 0),
            note: answer.and_then(|answer| answer.note.clone()),
        }
    }

    /// About what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let text = |text: &Text| text.text.len();
        let pairs =
            |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let optional = [&self.event, &self.reply, &self.failure].into_iter().flatten().map(text).sum::<usize>();
        let calls = self.calls.iter().map(|call| size_of::<Called>() + text(&call.request) + text(&call.answer));
        let lines = self.lines.iter().map(|line| size_of::<Line>() + text(&line.text));
        let answer = self.answer.as_ref().map_or(0, |answer| text(&answer.body) + pairs(&answer.headers));
        size_of::<Self>()
            + self.target.len()
            + text(&self.body)
            + pairs(&self.headers)
            + optional
            + calls.sum::<usize>()
            + lines.sum::<usize>()
            + answer
    }
}

/// Names and values as text.
#[must_use]
fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{CLIPPED, Record, Text};

    #[test]
    fn a_row_has_the_path_that_no_route_takes_and_no_query() {
        let mut record = Record::new("1".to_owned(), "GET", "/nowhere?key=secret", &HeaderMap::new());
        "GET $default".clone_into(&mut record.route);
        assert_eq!(record.row().path.as_deref(), Some("/nowhere"));
        "GET /customer".clone_into(&mut record.route);
        assert_eq!(record.row().path, None);
    }

    #[test]
    fn a_long_text_is_clipped_and_says_so() {
        let text = Text::of(&vec![b'x'; CLIPPED + 1]);
        assert_eq!((text.text.len(), text.bytes, text.whole), (CLIPPED, CLIPPED + 1, false));
        assert_eq!(text.json(), None);
        assert!(!Text::of(b"\xff").whole);
        assert_eq!(Text::of(b"{}").json(), Some(serde_json::json!({})));
    }
}
