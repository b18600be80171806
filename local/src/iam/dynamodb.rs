//! What calls of DynamoDB need: the call's own action on its table, and of a transaction each item's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Need;
use crate::template::{ACCOUNT, REGION};

/// The permissions that `action` with this request needs.
#[must_use]
pub fn needs(action: &str, request: &Value) -> Vec<Need> {
    match action {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| need(action, table)).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            let writes = items.flat_map(|item| item.as_object().into_iter().flatten());
            writes.map(|(kind, write)| need(of_item(kind), table(write))).collect()
        }
        _ => vec![need(action, table(request))],
    }
}

/// The permission that one item of a transaction needs.
fn of_item(kind: &str) -> &str {
    match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "Get" => "GetItem",
        "ConditionCheck" => "ConditionCheckItem",
        other => other,
    }
}

fn table(of: &Value) -> &str {
    of["TableName"].as_str().unwrap_or_default()
}

fn need(action: &str, table: &str) -> Need {
    Need {
        action: format!("dynamodb:{action}"),
        resources: vec![format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")],
        context: BTreeMap::new(),
    }
}
