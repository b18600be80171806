//! The embedded database with the template's tables.

use crate::template::Table;
use anyhow::{Context, Result};
use dynoxide::Database;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How often expired items are removed. Nothing may rely on it: AWS takes days.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The template's tables, to be looked into and written to past every function.
#[derive(Clone)]
pub struct Tables {
    database: Database,
    names: Vec<String>,
}

impl Tables {
    /// Opens the database, in memory or in the folder `data`, and creates what is missing of `tables`.
    ///
    /// # Errors
    /// A folder that cannot be written, a damaged database, or a table that DynamoDB would refuse.
    pub fn open(tables: &[Table], data: Option<&Path>) -> Result<Self> {
        let database = match data {
            None => Database::memory(),
            Some(folder) => {
                let path = folder.join("dynamodb.sqlite");
                Database::new(path.to_str().context("the data folder's name is not UTF-8")?)
            }
        };
        let opened = Self {
            database: database.context("cannot open the database")?,
            names: tables.iter().map(|table| table.name.clone()).collect(),
        };
        let existing = opened.database.list_tables(request(json!({}))?)?.table_names;
        for table in tables {
            if !existing.contains(&table.name) {
                opened.create(table).with_context(|| format!("cannot create the table {}", table.name))?;
            }
        }
        Ok(opened)
    }

    fn create(&self, table: &Table) -> Result<()> {
        self.database.create_table(request(table.create.clone())?)?;
        if let Some(attribute) = &table.ttl_attribute {
            let ttl = json!({
                "TableName": table.name,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            });
            self.database.update_time_to_live(request(ttl)?)?;
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
        let put = request(json!({ "TableName": table, "Item": item }))?;
        self.database.put_item(put).with_context(|| format!("cannot put an item into {table}"))?;
        Ok(())
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

    /// Writes every item of `fixtures`, and removes all others.
    ///
    /// # Errors
    /// As [`Tables::load`].
    pub fn replace(&self, fixtures: &Value) -> Result<()> {
        for table in &self.names {
            let description = self.database.describe_table(request(json!({ "TableName": table }))?)?;
            let description = serde_json::to_value(description)?;
            let schema = description["Table"]["KeySchema"].as_array().into_iter().flatten();
            let names: Vec<_> = schema.filter_map(|part| part["AttributeName"].as_str()).collect();
            for item in self.items(table)? {
                let key: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect();
                self.database.delete_item(request(json!({ "TableName": table, "Key": key }))?)?;
            }
        }
        self.load(fixtures)
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
            let page = self.database.scan(request(scan)?)?;
            let page = serde_json::to_value(page)?;
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

    /// Removes expired items from now on until `end`.
    pub fn sweep_until(self, end: impl Future<Output = ()> + Send + 'static) {
        let sweep = async move {
            loop {
                tokio::time::sleep(SWEEP_INTERVAL).await;
                // An item that stays longer than it should is what AWS does as well.
                let database = self.database.clone();
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

    pub(super) fn database(&self) -> Database {
        self.database.clone()
    }
}

/// A request of the database's from the JSON that DynamoDB would be sent.
fn request<R: DeserializeOwned>(json: Value) -> Result<R> {
    let json = match json {
        Value::Object(fields) => fields.into_iter().filter(|(_, field)| !field.is_null()).collect::<Map<_, _>>(),
        _ => Map::new(),
    };
    Ok(serde_json::from_value(Value::Object(json))?)
}
