//! The template's tables.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use dynoxide::Database;
use serde_json::{Map, Value, json};

use super::engine::{Engine, Other};
use crate::{
    deployed::{Deployed, ROOT},
    template::Table,
};

/// How often expired items are removed. Nothing may rely on it: AWS takes days.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The template's tables, to be looked into and written to past every function.
#[derive(Clone)]
pub struct Tables {
    engine: Engine,
    names: Vec<String>,
    /// What they are called in the database, where that is not their name.
    called: BTreeMap<String, String>,
}

/// Where the records are to be kept.
#[derive(Clone, Debug, Default)]
pub enum Kept {
    /// In memory, until the system ends.
    #[default]
    InMemory,
    /// In this folder.
    In(PathBuf),
    /// In another DynamoDB, by its URL.
    At(String),
}

impl Tables {
    /// Opens the database and creates what is missing of `tables`.
    ///
    /// # Errors
    /// A folder that cannot be written, a damaged database, one that does not answer, or a table that DynamoDB would
    /// refuse.
    pub fn open(tables: &[Table], kept: &Kept) -> Result<Self> {
        let engine = match kept {
            Kept::InMemory => Engine::Embedded(Database::memory().context("cannot open the database")?),
            Kept::In(folder) => {
                let path = folder.join("dynamodb.sqlite");
                let path = path.to_str().context("the data folder's name is not UTF-8")?;
                Engine::Embedded(Database::new(path).context("cannot open the database")?)
            }
            Kept::At(url) => Engine::Other(Other::at(url)?),
        };
        let opened = Self { engine, names: names(tables), called: BTreeMap::new() };
        let existing = opened.call("ListTables", json!({}))?;
        let existing = existing["TableNames"].as_array().cloned().unwrap_or_default();
        for table in tables {
            if !existing.contains(&table.name.as_str().into()) {
                opened.create(table).with_context(|| format!("cannot create the table {}", table.name))?;
            }
        }
        Ok(opened)
    }

    /// The tables of a deployment, which exist.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn deployed(tables: &[Table], deployed: &Deployed) -> Result<Self> {
        let names = names(tables);
        let called = names.iter().map(|name| Ok((name.clone(), deployed.name(name)?.to_owned())));
        let called = called.collect::<Result<_>>()?;
        Ok(Self { engine: Engine::Other(Other::of(&deployed.endpoint, ROOT)), names, called })
    }

    fn call(&self, action: &str, mut request: Value) -> Result<Value> {
        if let Some(called) = request["TableName"].as_str().and_then(|name| self.called.get(name)) {
            request["TableName"] = called.as_str().into();
        }
        self.engine.call(action, request)
    }

    fn create(&self, table: &Table) -> Result<()> {
        self.call("CreateTable", table.create.clone())?;
        if let Some(attribute) = &table.ttl_attribute {
            let ttl = json!({
                "TableName": table.name,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            });
            self.call("UpdateTimeToLive", ttl)?;
        }
        Ok(())
    }

    /// Every table's name.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes `item`, in DynamoDB's JSON, over whatever has its key.
    ///
    /// # Errors
    /// What DynamoDB would refuse.
    pub fn put(&self, table: &str, item: &Value) -> Result<()> {
        let put = json!({ "TableName": table, "Item": item });
        self.call("PutItem", put).with_context(|| format!("cannot put an item into {table}"))?;
        Ok(())
    }

    /// The item of `key`, in DynamoDB's JSON.
    ///
    /// # Errors
    /// What DynamoDB would refuse.
    pub fn get(&self, table: &str, key: &Value) -> Result<Option<Value>> {
        let found = self.call("GetItem", json!({ "TableName": table, "Key": key }))?;
        Ok(Some(found["Item"].clone()).filter(|item| !item.is_null()))
    }

    /// Sets the moment `attribute` of the item of `key` to `at`, in milliseconds since 1970; says whether it had one.
    ///
    /// # Errors
    /// What DynamoDB would refuse.
    pub fn expire(&self, table: &str, key: &Value, attribute: &str, at: i64) -> Result<bool> {
        if self.get(table, key)?.is_none_or(|item| item[attribute].is_null()) {
            return Ok(false);
        }
        let update = json!({
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET #moment = :at",
            "ConditionExpression": "attribute_exists(#moment)",
            "ExpressionAttributeNames": { "#moment": attribute },
            "ExpressionAttributeValues": { ":at": { "N": at.to_string() } },
        });
        self.call("UpdateItem", update).map(|_| true)
    }

    /// Writes every item of `fixtures`: lists of items in DynamoDB's JSON by table.
    ///
    /// # Errors
    /// Anything else than that, and what DynamoDB would refuse.
    pub fn load(&self, fixtures: &Value) -> Result<()> {
        let tables = fixtures.as_object().context("the fixtures are not an object of tables")?;
        for (table, items) in tables {
            let items = items.as_array().with_context(|| format!("the fixtures of {table} are not a list"))?;
            items.iter().try_for_each(|item| self.put(table, item))?;
        }
        Ok(())
    }

    /// Makes the tables hold the items of `fixtures` and no others. What is there as it should be is left alone.
    ///
    /// # Errors
    /// As [`Tables::load`].
    pub fn replace(&self, fixtures: &Value) -> Result<()> {
        for table in &self.names {
            let wanted = fixtures[table].as_array().map_or_else(Vec::new, Clone::clone);
            let there = self.items(table)?;
            let keys = if there.is_empty() { Vec::new() } else { self.key_attributes(table)? };
            let key = |item: &Value| keys.iter().map(|name| (name.clone(), item[name].clone())).collect::<Map<_, _>>();
            let wanted_keys: Vec<_> = wanted.iter().map(key).collect();
            for key in there.iter().map(key).filter(|key| !wanted_keys.contains(key)) {
                self.call("DeleteItem", json!({ "TableName": table, "Key": key }))?;
            }
            wanted.iter().filter(|item| !there.contains(item)).try_for_each(|item| self.put(table, item))?;
        }
        Ok(())
    }

    fn key_attributes(&self, table: &str) -> Result<Vec<String>> {
        let description = self.call("DescribeTable", json!({ "TableName": table }))?;
        let schema = description["Table"]["KeySchema"].as_array().into_iter().flatten();
        Ok(schema.filter_map(|part| Some(part["AttributeName"].as_str()?.to_owned())).collect())
    }

    /// Every item of `table`, in DynamoDB's JSON.
    ///
    /// # Errors
    /// A table that is not there.
    pub fn items(&self, table: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let scan = json!({ "TableName": table, "ExclusiveStartKey": start });
            let page = self.call("Scan", scan)?;
            items.extend(page["Items"].as_array().into_iter().flatten().cloned());
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                return Ok(items);
            }
        }
    }

    /// Every item of every table.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn dump(&self) -> Result<BTreeMap<String, Vec<Value>>> {
        self.names.iter().map(|name| Ok((name.clone(), self.items(name)?))).collect()
    }

    /// Removes expired items from now on until `end`. Another DynamoDB does so itself.
    pub fn sweep_until(self, end: impl Future<Output = ()> + Send + 'static) {
        let Engine::Embedded(database) = self.engine else { return };
        let sweep = async move {
            loop {
                tokio::time::sleep(SWEEP_INTERVAL).await;
                // An item that stays longer than it should is what AWS does as well.
                let database = database.clone();
                let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                () = sweep => {}
                () = end => {}
            }
        });
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }
}

fn names(tables: &[Table]) -> Vec<String> {
    tables.iter().map(|table| table.name.clone()).collect()
}
