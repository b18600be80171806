//! Where the records are: in the embedded database, or in another DynamoDB that was named.

use anyhow::{Context, Result, bail, ensure};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use dynoxide::Database;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::deployed::{authorization, wait};

/// One of the two.
#[derive(Clone)]
pub enum Engine {
    Embedded(Database),
    Other(Other),
}

/// Another DynamoDB. Amazon's *DynamoDB Local* keeps the records of each access key apart: this system has one of its own.
#[derive(Clone)]
pub struct Other {
    url: String,
    authorization: String,
}

impl Other {
    /// A new, empty one at this URL.
    pub fn at(url: &str) -> Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        Ok(Self::of(url, &format!("{:016X}", u64::from_le_bytes(random))))
    }

    /// The one at this URL that answers to this access key.
    pub fn of(url: &str, key: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), authorization: authorization(key, "dynamodb") }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts this system's access key in the place of the caller's.
    pub fn sign(&self, headers: &mut HeaderMap) -> Result<()> {
        headers.remove("x-amz-security-token");
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&self.authorization)?);
        Ok(())
    }

    async fn ask(&self, action: &str, request: &Value) -> Result<Value> {
        let mut headers = HeaderMap::new();
        self.sign(&mut headers)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        let target = format!("DynamoDB_20120810.{action}");
        headers.insert(HeaderName::from_static("x-amz-target"), HeaderValue::from_str(&target)?);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.post(&self.url).headers(headers).body(request.to_string()).send().await?;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await?)?;
        ensure!(status.is_success(), "{action}: {body}");
        Ok(body)
    }
}

impl Engine {
    /// Carries out one action, request and answer in DynamoDB's JSON; a field that is `null` counts as absent.
    ///
    /// # Errors
    /// What DynamoDB would refuse.
    pub fn call(&self, action: &str, request: Value) -> Result<Value> {
        let request = match request {
            Value::Object(fields) => fields.into_iter().filter(|(_, field)| !field.is_null()).collect::<Map<_, _>>(),
            _ => Map::new(),
        };
        let request = &Value::Object(request);
        match self {
            Self::Embedded(database) => embedded(database, action, request.clone()),
            // Its callers do not wait for the network as the servers do.
            Self::Other(other) => {
                wait(other.ask(action, request)).with_context(|| format!("the DynamoDB at {}", other.url))
            }
        }
    }
}

fn embedded(database: &Database, action: &str, request: Value) -> Result<Value> {
    match action {
        "CreateTable" => answer(database.create_table(read(request)?)?),
        "DeleteItem" => answer(database.delete_item(read(request)?)?),
        "DescribeTable" => answer(database.describe_table(read(request)?)?),
        "GetItem" => answer(database.get_item(read(request)?)?),
        "ListTables" => answer(database.list_tables(read(request)?)?),
        "PutItem" => answer(database.put_item(read(request)?)?),
        "Scan" => answer(database.scan(read(request)?)?),
        "UpdateItem" => answer(database.update_item(read(request)?)?),
        "UpdateTimeToLive" => answer(database.update_time_to_live(read(request)?)?),
        other => bail!("{other} is not asked of a database here"),
    }
}

fn read<R: DeserializeOwned>(request: Value) -> Result<R> {
    Ok(serde_json::from_value(request)?)
}

fn answer(answer: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(answer)?)
}
