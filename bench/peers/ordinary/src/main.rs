//! get-customer for an App, the ordinary way.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

type Item = HashMap<String, AttributeValue>;

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn reply(status: u16, body: &Value) -> Result<Response<Body>, Error> {
    let reply = Response::builder().status(status).header("content-type", "application/json");
    Ok(reply.header("cache-control", "no-store").body(body.to_string().into())?)
}

fn keys(name: &str, value: &str) -> Result<KeysAndAttributes, Error> {
    let key = HashMap::from([(name.to_owned(), AttributeValue::S(value.to_owned()))]);
    Ok(KeysAndAttributes::builder().keys(key).consistent_read(true).build()?)
}

async fn handle(client: &Client, request: Request) -> Result<Response<Body>, Error> {
    let header = |name: &str| request.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
    let (key, token) = (header("x-access-superkey"), header("x-access-supertoken"));
    let cuid = request.path_parameters().first("identifier").unwrap_or_default().to_owned();
    let (apps, customers) = (std::env::var("APPS_TABLE")?, std::env::var("CUSTOMERS_TABLE")?);
    let asked = client.batch_get_item().request_items(&apps, keys("key", &key)?);
    let found = asked.request_items(&customers, keys("cuid", &cuid)?).send().await?.responses.unwrap_or_default();
    let first = |table: &str| found.get(table).and_then(|items| items.first());
    let Some(app) = first(&apps) else { return reply(404, &json!({ "message": "No matching key" })) };
    let hash = Sha256::digest(token.as_bytes());
    let stored = app.get("token_hash").and_then(|hash| hash.as_b().ok());
    if stored.is_none_or(|stored| stored.as_ref() != hash.as_slice()) {
        return reply(403, &json!({ "message": "Invalid token" }));
    }
    let customer = first(&customers).filter(|customer| text(customer, "app") == Some(&key));
    let Some(customer) = customer else { return reply(404, &json!({ "message": "User not found." })) };
    let mut body = Map::new();
    for name in ["cuid", "email", "company", "name", "address", "country", "city", "zip", "state", "phone", "website"] {
        if let Some(value) = text(customer, name) {
            body.insert(name.to_owned(), value.into());
        }
    }
    reply(200, &Value::Object(body))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::new(&aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    run(service_fn(|request| handle(&client, request))).await
}
