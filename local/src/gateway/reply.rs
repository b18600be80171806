//! From a function's reply to the response, as an HTTP API does it.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The gateway's own answer, which holds a `message` and nothing else.
pub fn own(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// The answer to whatever a function does wrong.
pub fn internal_error() -> Response {
    own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// The response that `reply` asks for. A reply without a `statusCode` is itself the body of a 200.
pub fn response(reply: &[u8]) -> Response {
    let Ok(reply) = serde_json::from_slice::<Value>(reply) else { return internal_error() };
    if reply.get("statusCode").is_none() {
        return Json(reply).into_response();
    }
    structured(&reply).unwrap_or_else(internal_error)
}

/// `None` is a reply that API Gateway cannot make sense of.
fn structured(reply: &Value) -> Option<Response> {
    let status = u16::try_from(reply["statusCode"].as_u64()?).ok()?;
    let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 200)?;
    let mut headers = HeaderMap::new();
    for (name, value) in object(&reply["headers"])? {
        headers.insert(name.parse::<HeaderName>().ok()?, header_value(value)?);
    }
    for (name, values) in object(&reply["multiValueHeaders"])? {
        let name: HeaderName = name.parse().ok()?;
        if !headers.contains_key(&name) {
            for value in values.as_array()? {
                headers.append(name.clone(), header_value(value)?);
            }
        }
    }
    for cookie in reply["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    // They belong to the connection, which is ours.
    for name in [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE] {
        headers.remove(name);
    }
    let text = HeaderValue::from_static("text/plain;charset=UTF-8");
    headers.entry(header::CONTENT_TYPE).or_insert(text);
    let body = match &reply["body"] {
        Value::Null => Vec::new(),
        Value::String(body) if reply["isBase64Encoded"] == true => STANDARD.decode(body).ok()?,
        Value::String(body) => body.clone().into_bytes(),
        _ => return None,
    };
    Some((status, headers, Body::from(body)).into_response())
}

fn object(value: &Value) -> Option<impl Iterator<Item = (&String, &Value)>> {
    match value {
        Value::Null => Some(None.into_iter().flatten()),
        Value::Object(fields) => Some(Some(fields).into_iter().flatten()),
        _ => None,
    }
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => HeaderValue::from_bytes(text.as_bytes()).ok(),
        Value::Number(_) | Value::Bool(_) => HeaderValue::from_str(&value.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::response;

    fn status_of(reply: &Value) -> u16 {
        response(reply.to_string().as_bytes()).status().as_u16()
    }

    #[test]
    fn a_reply_says_what_is_sent() {
        let reply = json!({
            "statusCode": 302, "headers": {"location": "/x"}, "cookies": ["a=1", "b=2"],
            "multiValueHeaders": {"location": ["/x"], "vary": ["a", "b"]}, "body": "eA==", "isBase64Encoded": true,
        });
        let response = response(reply.to_string().as_bytes());
        assert_eq!(response.status(), 302);
        let all = |name: &str| response.headers().get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("location"), ["/x"]);
        assert_eq!(all("vary"), ["a", "b"]);
        assert_eq!(all("set-cookie"), ["a=1", "b=2"]);
    }

    #[test]
    fn a_reply_without_a_status_is_a_body() {
        assert_eq!(status_of(&json!({"hello": 1})), 200);
        assert_eq!(status_of(&json!("hello")), 200);
    }

    #[test]
    fn a_reply_that_makes_no_sense_is_a_500() {
        for reply in [
            json!({"statusCode": "x"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
        ] {
            assert_eq!(status_of(&reply), 500, "{reply}");
        }
        assert_eq!(response(b"not json").status(), 500);
    }
}
