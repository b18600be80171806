//! A call of DynamoDB or SES in a reader's terms: which item of which table, under which condition, and what came of it.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::requests::Called;

/// One item that a call is about, or one mail.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Step {
    /// Such as `GetItem`; of a transaction, what it does with this item.
    pub does: String,
    /// The table.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// The item's key, or the key condition of a query.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub key: Value,
    /// The key as DynamoDB writes it, where it is one item's.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub item: Value,
    /// What must hold for it to take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What it writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writes: Option<String>,
    /// What it found, or what came of it.
    pub found: String,
    /// The item that was found.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub attributes: Value,
}

static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[#:][A-Za-z0-9_]+").ok());

/// What a call is about, in its order.
pub fn steps(call: &Called) -> Vec<Step> {
    let Some(request) = call.request.json() else {
        return vec![Step { does: call.action.clone(), found: ended(call, &Value::Null), ..Step::default() }];
    };
    let answer = call.answer.json().unwrap_or_default();
    match call.action.as_str() {
        "SendEmail" => vec![mail(call, &request, &answer)],
        "DeleteSuppressedDestination" => vec![off_the_list(call, &request, &answer)],
        "BatchGetItem" => batch(call, &request, &answer),
        "TransactWriteItems" => transaction(call, &request, &answer),
        _ => vec![single(call, &request, &answer)],
    }
}

fn mail(call: &Called, request: &Value, answer: &Value) -> Step {
    let to = request["Destination"]["ToAddresses"].clone();
    let subject = &request["Content"]["Simple"]["Subject"]["Data"];
    let found = match answer["MessageId"].as_str() {
        Some(_) if call.status == 200 => "taken, and in the mailbox".to_owned(),
        _ => ended(call, answer),
    };
    Step {
        does: call.action.clone(),
        key: json!({ "from": request["FromEmailAddress"], "to": to, "subject": subject }),
        found,
        ..Step::default()
    }
}

fn off_the_list(call: &Called, request: &Value, answer: &Value) -> Step {
    let found = match call.status {
        200 => "taken off the suppression list".to_owned(),
        404 => "it is not on the suppression list".to_owned(),
        _ => ended(call, answer),
    };
    let key = json!({ "address": request["EmailAddress"] });
    Step { does: call.action.clone(), key, found, ..Step::default() }
}

fn batch(call: &Called, request: &Value, answer: &Value) -> Vec<Step> {
    let mut steps = Vec::new();
    for (table, asked) in request["RequestItems"].as_object().into_iter().flatten() {
        for key in asked["Keys"].as_array().into_iter().flatten() {
            let is_of_key =
                |item: &&Value| key.as_object().is_some_and(|key| key.iter().all(|(name, value)| item[name] == *value));
            let lists = |list: &Value| list.as_array().into_iter().flatten().find(is_of_key).cloned();
            let unread = lists(&answer["UnprocessedKeys"][table]["Keys"]);
            let item = lists(&answer["Responses"][table]);
            let found = match (&item, unread) {
                _ if call.status != 200 => ended(call, answer),
                (_, Some(_)) => "left unread".to_owned(),
                (Some(_), None) => "found".to_owned(),
                (None, None) => "no such item".to_owned(),
            };
            steps.push(Step {
                does: "GetItem".to_owned(),
                table: table.clone(),
                key: plain(key),
                item: key.clone(),
                found,
                attributes: item.as_ref().map(plain).unwrap_or_default(),
                ..Step::default()
            });
        }
    }
    steps
}

fn transaction(call: &Called, request: &Value, answer: &Value) -> Vec<Step> {
    let reasons = &answer["CancellationReasons"];
    let items = request["TransactItems"].as_array().into_iter().flatten().enumerate();
    let parts = items.flat_map(|(index, item)| item.as_object().into_iter().flatten().map(move |part| (index, part)));
    parts
        .map(|(index, (kind, part))| {
            let found = match reasons[index]["Code"].as_str() {
                _ if call.status == 200 && kind == "ConditionCheck" => "the condition holds".to_owned(),
                _ if call.status == 200 => "written".to_owned(),
                Some("None") => "not written: another part was refused".to_owned(),
                Some("ConditionalCheckFailed") => "refused: the condition does not hold".to_owned(),
                Some(other) => format!("refused: {other}"),
                None => ended(call, answer),
            };
            let attributes = plain(&reasons[index]["Item"]);
            Step { found, attributes, ..about(kind, part) }
        })
        .collect()
}

fn single(call: &Called, request: &Value, answer: &Value) -> Step {
    let item = match &answer["Item"] {
        Value::Null => &answer["Attributes"],
        item => item,
    };
    let found = match (call.action.as_str(), call.status) {
        ("GetItem", 200) if item.is_null() => "no such item".to_owned(),
        ("GetItem", 200) => "found".to_owned(),
        ("Query" | "Scan", 200) => {
            let count = &answer["Count"];
            let more = if answer["LastEvaluatedKey"].is_null() { "" } else { ", and more remain" };
            if count.is_null() { format!("{} bytes", call.answer.bytes) } else { format!("{count} items{more}") }
        }
        ("PutItem" | "UpdateItem" | "DeleteItem", 200) => "written".to_owned(),
        _ => ended(call, answer),
    };
    Step { found, attributes: plain(item), ..about(&call.action, request) }
}

/// What a request of one item, or one part of a transaction, says.
fn about(does: &str, request: &Value) -> Step {
    let (names, values) = (&request["ExpressionAttributeNames"], &request["ExpressionAttributeValues"]);
    let expression = |name: &str| request[name].as_str().map(|text| filled(text, names, values));
    // What is put has its key among the attributes.
    let put = &request["Item"];
    let key = match (&request["Key"], put) {
        (Value::Null, Value::Null) => expression("KeyConditionExpression").map(Value::from).unwrap_or_default(),
        (Value::Null, item) => plain(item),
        (key, _) => plain(key),
    };
    Step {
        does: does.to_owned(),
        table: request["TableName"].as_str().unwrap_or_default().to_owned(),
        key,
        item: request["Key"].clone(),
        condition: expression("ConditionExpression"),
        writes: expression("UpdateExpression"),
        ..Step::default()
    }
}

/// How a call ended that was not answered as it should be.
fn ended(call: &Called, answer: &Value) -> String {
    if call.status == 0 {
        return "no answer".to_owned();
    }
    let kind = answer["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    if kind == "ConditionalCheckFailedException" {
        return "refused: the condition does not hold".to_owned();
    }
    let message = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
    [&call.status.to_string(), kind, message]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

/// An expression with its placeholders' names and values in their places.
fn filled(expression: &str, names: &Value, values: &Value) -> String {
    let Some(placeholder) = &*PLACEHOLDER else { return expression.to_owned() };
    let fill = |found: &Captures<'_>| {
        let found = &found[0];
        match (names[found].as_str(), &values[found]) {
            (Some(name), _) => name.to_owned(),
            (None, Value::Null) => found.to_owned(),
            (None, value) => plain(value).to_string(),
        }
    };
    placeholder.replace_all(expression, fill).into_owned()
}

/// DynamoDB's JSON as JSON: an item, a map of attributes, or one attribute.
fn plain(item: &Value) -> Value {
    let Value::Object(fields) = item else { return item.clone() };
    let mut entries = fields.iter();
    if let (Some((kind, value)), None) = (entries.next(), entries.next())
        && let Some(value) = attribute(kind, value)
    {
        return value;
    }
    Value::Object(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
}

/// The value of an attribute of this type.
fn attribute(kind: &str, value: &Value) -> Option<Value> {
    match (kind, value) {
        ("S" | "B" | "BOOL", value) if !value.is_object() => Some(value.clone()),
        ("N", Value::String(number)) => Some(serde_json::from_str(number).unwrap_or_else(|_| number.as_str().into())),
        ("NULL", Value::Bool(_)) => Some(Value::Null),
        ("SS" | "NS" | "BS", Value::Array(_)) => Some(value.clone()),
        ("L", Value::Array(list)) => Some(list.iter().map(plain).collect()),
        ("M", Value::Object(_)) => Some(plain(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Step, plain, steps};
    use crate::requests::{Called, Text};

    fn call(action: &str, request: &Value, status: u16, answer: &Value) -> Vec<Step> {
        steps(&Called {
            service: "dynamodb",
            action: action.to_owned(),
            request: Text::of(request.to_string().as_bytes()),
            answer: Text::of(answer.to_string().as_bytes()),
            status,
            fault: None,
            allowed_by: Vec::new(),
            started_ms: 0.0,
            ended_ms: 0.0,
        })
    }

    #[test]
    fn items_are_written_plainly() {
        let item = json!({ "id": { "S": "a" }, "n": { "N": "12" }, "m": { "M": { "x": { "BOOL": true } } }, "z": { "NULL": true } });
        assert_eq!(plain(&item), json!({ "id": "a", "n": 12, "m": { "x": true }, "z": null }));
        assert_eq!(plain(&json!({ "id": { "S": "a" } })), json!({ "id": "a" }));
    }

    #[test]
    fn a_batch_tells_of_each_key() {
        let request = json!({ "RequestItems": { "A": { "Keys": [{ "id": { "S": "1" } }, { "id": { "S": "2" } }] } } });
        let answer = json!({ "Responses": { "A": [{ "id": { "S": "2" }, "name": { "S": "x" } }] } });
        let steps = call("BatchGetItem", &request, 200, &answer);
        assert_eq!((steps[0].found.as_str(), &steps[0].attributes), ("no such item", &Value::Null));
        assert_eq!((steps[1].found.as_str(), &steps[1].attributes), ("found", &json!({ "id": "2", "name": "x" })));
    }

    #[test]
    fn an_update_tells_its_condition_with_the_values_in_it() {
        let request = json!({
            "TableName": "P", "Key": { "id": { "S": "1" } }, "UpdateExpression": "SET #ttl = :ttl",
            "ConditionExpression": "expires_at > :now", "ExpressionAttributeNames": { "#ttl": "ttl" },
            "ExpressionAttributeValues": { ":ttl": { "N": "5" }, ":now": { "N": "7" } },
        });
        let refused = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" });
        let step = &call("UpdateItem", &request, 400, &refused)[0];
        assert_eq!(step.condition.as_deref(), Some("expires_at > 7"));
        assert_eq!(step.writes.as_deref(), Some("SET ttl = 5"));
        assert_eq!(step.found, "refused: the condition does not hold");
        assert_eq!(call("UpdateItem", &request, 0, &Value::Null)[0].found, "no answer");
    }

    #[test]
    fn a_transaction_tells_which_part_was_refused() {
        let put = json!({ "Put": { "TableName": "A", "Item": { "id": { "S": "1" } } } });
        let check = json!({ "ConditionCheck": { "TableName": "B", "Key": { "id": { "S": "2" } } } });
        let request = json!({ "TransactItems": [put, check] });
        let reasons = json!({ "CancellationReasons": [{ "Code": "None" }, { "Code": "ConditionalCheckFailed" }] });
        let found: Vec<_> =
            call("TransactWriteItems", &request, 400, &reasons).into_iter().map(|it| it.found).collect();
        assert_eq!(found, ["not written: another part was refused", "refused: the condition does not hold"]);
        let found: Vec<_> =
            call("TransactWriteItems", &request, 200, &json!({})).into_iter().map(|it| it.found).collect();
        assert_eq!(found, ["written", "the condition holds"]);
    }
}
