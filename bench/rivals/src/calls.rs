//! Calls as they were sent, made anew.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::builders::BatchGetItemFluentBuilder, put_item::builders::PutItemFluentBuilder,
        query::builders::QueryFluentBuilder, transact_write_items::builders::TransactWriteItemsFluentBuilder,
        update_item::builders::UpdateItemFluentBuilder,
    },
    primitives::Blob,
    types::{
        AttributeValue, KeysAndAttributes, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        Update,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::Error;
use serde_json::Value;

use crate::Mail;

/// One call, ready to be made again and again.
pub enum Call {
    /// Of several items.
    BatchGetItem(BatchGetItemFluentBuilder),
    /// Of one item.
    PutItem(PutItemFluentBuilder),
    /// Of one item.
    UpdateItem(UpdateItemFluentBuilder),
    /// Of one partition.
    Query(QueryFluentBuilder),
    /// Of several items, together.
    TransactWriteItems(TransactWriteItemsFluentBuilder),
    /// A mail.
    SendEmail,
}

impl Call {
    /// Reads `{"action", "request"}`.
    ///
    /// # Errors
    /// Another action, and a request that is not understood.
    pub fn read(client: &Client, call: &Value) -> Result<Self, Error> {
        let request = &call["request"];
        let table = text(&request["TableName"]);
        Ok(match call["action"].as_str() {
            Some("BatchGetItem") => {
                let tables = request["RequestItems"].as_object().into_iter().flatten().map(|(table, asked)| {
                    let keys = asked["Keys"].as_array().into_iter().flatten().map(item).collect::<Result<_, _>>()?;
                    let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
                    Ok((table.clone(), asked))
                });
                let tables = tables.collect::<Result<_, Error>>()?;
                Self::BatchGetItem(client.batch_get_item().set_request_items(Some(tables)))
            }
            Some("PutItem") => {
                Self::PutItem(client.put_item().set_table_name(table).set_item(Some(item(&request["Item"])?)))
            }
            Some("UpdateItem") => Self::UpdateItem(
                client
                    .update_item()
                    .set_table_name(table)
                    .set_key(Some(item(&request["Key"])?))
                    .set_update_expression(text(&request["UpdateExpression"]))
                    .set_condition_expression(text(&request["ConditionExpression"]))
                    .set_expression_attribute_names(names(request))
                    .set_expression_attribute_values(values(request)?)
                    .set_return_values(request["ReturnValues"].as_str().map(ReturnValue::from))
                    .set_return_values_on_condition_check_failure(on_failure(request)),
            ),
            Some("Query") => Self::Query(
                client
                    .query()
                    .set_table_name(table)
                    .consistent_read(true)
                    .set_key_condition_expression(text(&request["KeyConditionExpression"]))
                    .set_projection_expression(text(&request["ProjectionExpression"]))
                    .set_expression_attribute_names(names(request))
                    .set_expression_attribute_values(values(request)?)
                    .set_limit(request["Limit"].as_i64().and_then(|limit| limit.try_into().ok())),
            ),
            Some("TransactWriteItems") => {
                let writes = request["TransactItems"].as_array().into_iter().flatten().map(write);
                let writes = writes.collect::<Result<_, _>>()?;
                Self::TransactWriteItems(client.transact_write_items().set_transact_items(Some(writes)))
            }
            Some("SendEmail") => Self::SendEmail,
            other => return Err(format!("no call {other:?}").into()),
        })
    }

    /// Makes the call.
    ///
    /// # Errors
    /// What the backend answered.
    pub async fn make(&self, mail: &impl Mail) -> Result<(), Error> {
        match self {
            Self::BatchGetItem(call) => drop(call.clone().send().await?),
            Self::PutItem(call) => drop(call.clone().send().await?),
            Self::UpdateItem(call) => drop(call.clone().send().await?),
            Self::Query(call) => drop(call.clone().send().await?),
            Self::TransactWriteItems(call) => drop(call.clone().send().await?),
            Self::SendEmail => mail.send().await?,
        }
        Ok(())
    }
}

fn write(write: &Value) -> Result<TransactWriteItem, Error> {
    let (put, update) = (&write["Put"], &write["Update"]);
    let builder = TransactWriteItem::builder();
    Ok(if put.is_object() {
        let put = Put::builder()
            .set_table_name(text(&put["TableName"]))
            .set_item(Some(item(&put["Item"])?))
            .set_condition_expression(text(&put["ConditionExpression"]))
            .set_expression_attribute_names(names(put))
            .set_return_values_on_condition_check_failure(on_failure(put));
        builder.put(put.build()?).build()
    } else {
        let update = Update::builder()
            .set_table_name(text(&update["TableName"]))
            .set_key(Some(item(&update["Key"])?))
            .set_update_expression(text(&update["UpdateExpression"]))
            .set_condition_expression(text(&update["ConditionExpression"]))
            .set_expression_attribute_names(names(update))
            .set_expression_attribute_values(values(update)?)
            .set_return_values_on_condition_check_failure(on_failure(update));
        builder.update(update.build()?).build()
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn on_failure(request: &Value) -> Option<ReturnValuesOnConditionCheckFailure> {
    request["ReturnValuesOnConditionCheckFailure"].as_str().map(ReturnValuesOnConditionCheckFailure::from)
}

fn names(request: &Value) -> Option<HashMap<String, String>> {
    let names = request["ExpressionAttributeNames"].as_object()?;
    Some(names.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
}

fn values(request: &Value) -> Result<Option<HashMap<String, AttributeValue>>, Error> {
    let values = &request["ExpressionAttributeValues"];
    if values.is_null() { Ok(None) } else { item(values).map(Some) }
}

/// An item in DynamoDB's JSON.
fn item(value: &Value) -> Result<HashMap<String, AttributeValue>, Error> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, value)| Ok((name.clone(), attribute(value)?))).collect()
}

fn attribute(value: &Value) -> Result<AttributeValue, Error> {
    let (kind, value) = value.as_object().and_then(|it| it.iter().next()).ok_or("an attribute without a type")?;
    let texts = || value.as_array().into_iter().flatten().filter_map(text);
    Ok(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text.clone()),
        ("N", Value::String(number)) => AttributeValue::N(number.clone()),
        ("BOOL", Value::Bool(value)) => AttributeValue::Bool(*value),
        ("B", Value::String(bytes)) => AttributeValue::B(Blob::new(BASE64_STANDARD.decode(bytes)?)),
        ("SS", _) => AttributeValue::Ss(texts().collect()),
        ("BS", _) => AttributeValue::Bs(
            texts().map(|text| Ok(Blob::new(BASE64_STANDARD.decode(text)?))).collect::<Result<_, Error>>()?,
        ),
        ("L", Value::Array(list)) => AttributeValue::L(list.iter().map(attribute).collect::<Result<_, _>>()?),
        ("M", map) => AttributeValue::M(item(map)?),
        (kind, _) => return Err(format!("no attribute of the type {kind}").into()),
    })
}
