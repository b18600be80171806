//! The door to DynamoDB: tables, keys, items, and the calls: batches of reads, a write, an update, a transaction, a query
//! and a scan, with their retries.
//!
//! Conditional writes *are* the rules, so there is one store and no stand-in for it.

mod item;
mod transaction;
mod update;

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        query::builders::QueryFluentBuilder,
        scan::builders::ScanFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::KeysAndAttributes,
};
pub use item::{Attribute, Item, ItemExt, bytes, item, number, text, ttl};
pub use transaction::{Outcome, Refusal, Transaction};
pub use update::{Conditions, Update};

use crate::{config, error::Causes, random, sdk::OPERATION};

/// What the SDK said, for the log; nothing of it goes to a caller.
pub type StoreError = Box<dyn StdError + Send + Sync>;

/// How often a call that DynamoDB answered in part, or with a conflict, is sent again.
const ATTEMPTS: u32 = 6;

/// The tables of `template.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Apps by superkey and platforms by platformkey.
    Apps,
    /// Customers by cuid.
    Customers,
    /// Which customer of an App has which address: guard of uniqueness, look-up and list in one.
    Directory,
    /// Customer pairs by key.
    Credentials,
    /// Living passcodes, mail windows and failures by App and address.
    Passcodes,
    /// SSO tickets by hash.
    Tickets,
}

impl Table {
    const ALL: [Self; 6] =
        [Self::Apps, Self::Customers, Self::Directory, Self::Credentials, Self::Passcodes, Self::Tickets];

    /// The environment variable that holds the table's name.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Apps => "APPS_TABLE",
            Self::Customers => "CUSTOMERS_TABLE",
            Self::Directory => "DIRECTORY_TABLE",
            Self::Credentials => "CREDENTIALS_TABLE",
            Self::Passcodes => "PASSCODES_TABLE",
            Self::Tickets => "TICKETS_TABLE",
        }
    }
}

/// The table and primary key of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    table: Table,
    attributes: Vec<(&'static str, String)>,
    fallback: Option<Box<Self>>,
}

impl Key {
    /// The key of an item in a table with a partition key alone.
    #[must_use]
    pub fn new(table: Table, name: &'static str, value: impl Into<String>) -> Self {
        Self { table, attributes: vec![(name, value.into())], fallback: None }
    }

    /// The same with a sort key.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Where this has no item, a read answers the one of another key. It costs one more call then.
    #[must_use]
    pub fn or(mut self, fallback: Self) -> Self {
        self.fallback = Some(Box::new(fallback));
        self
    }

    /// The key as DynamoDB takes it.
    #[must_use]
    pub fn attributes(&self) -> Item {
        self.attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    }

    fn is_of(&self, item: &Item) -> bool {
        self.attributes.iter().all(|(name, value)| item.text(name) == Some(value))
    }
}

/// A client with the names of the tables that this function uses.
#[derive(Debug)]
pub struct Store {
    client: Client,
    names: [Option<String>; Table::ALL.len()],
    calls: AtomicU32,
}

impl Store {
    /// A store of these tables, whose names the environment gives.
    ///
    /// # Errors
    /// Names the variable of a table that is missing.
    pub fn from_env(sdk: &SdkConfig, tables: &[Table]) -> Result<Self, StoreError> {
        for table in tables {
            config::required(table.variable())?;
        }
        Ok(Self::new(Client::new(sdk), |table| config::optional(table.variable())))
    }

    /// A store of the tables that `name` names.
    #[must_use]
    pub fn new(client: Client, name: impl Fn(Table) -> Option<String>) -> Self {
        Self { client, names: Table::ALL.map(name), calls: AtomicU32::new(0) }
    }

    /// Calls made since this was last asked; for the log.
    #[must_use]
    pub fn take_calls(&self) -> u32 {
        self.calls.swap(0, Relaxed)
    }

    fn name(&self, table: Table) -> Result<&str, StoreError> {
        let name = self.names[table as usize].as_deref();
        name.ok_or_else(|| format!("The environment variable {} is missing or empty.", table.variable()).into())
    }

    fn count_call(&self) {
        self.calls.fetch_add(1, Relaxed);
    }

    /// Opens the connection and signs once, so that the first caller need not wait for it. What it finds is of no
    /// interest, and a failure is left to the first call to meet again.
    pub async fn warm_up(&self) {
        let key = Key::new(Table::Apps, "key", "warm-up");
        if let Err(error) = self.batch_get([Some(key)]).await {
            tracing::warn!(error = %Causes(&*error), "warm-up failed");
        }
        self.calls.store(0, Relaxed);
    }

    /// Reads items of any tables at once and consistently, in the order of the keys. At most 100 keys. Without a key,
    /// for what cannot exist, there is no item.
    ///
    /// # Errors
    /// What DynamoDB or the network answered.
    pub async fn batch_get<const N: usize>(&self, keys: [Option<Key>; N]) -> Result<[Option<Item>; N], StoreError> {
        let mut items = self.batch_get_all(&keys).await?.into_iter();
        Ok(std::array::from_fn(|_| items.next().flatten()))
    }

    /// Reads one item consistently.
    ///
    /// # Errors
    /// What DynamoDB or the network answered.
    pub async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let [item] = self.batch_get([Some(key)]).await?;
        Ok(item)
    }

    /// As [`Self::batch_get`], for a number of keys that is not known in advance.
    ///
    /// # Errors
    /// What DynamoDB or the network answered.
    pub async fn batch_get_all(&self, keys: &[Option<Key>]) -> Result<Vec<Option<Item>>, StoreError> {
        in_time(Box::pin(self.read_or_fall_back(keys))).await
    }

    async fn read_or_fall_back(&self, keys: &[Option<Key>]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut items = self.read(keys).await?;
        let mut fallbacks = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let fallback = key.as_ref().and_then(|key| key.fallback.as_deref());
            if let (None, Some(fallback)) = (&items[index], fallback) {
                fallbacks.resize(keys.len(), None);
                fallbacks[index] = Some(fallback.clone());
            }
        }
        if !fallbacks.is_empty() {
            let found = self.read(&fallbacks).await?;
            items = items.into_iter().zip(found).map(|(item, found)| item.or(found)).collect();
        }
        Ok(items)
    }

    async fn read(&self, keys: &[Option<Key>]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut asked: HashMap<String, KeysAndAttributes> = HashMap::new();
        for table in Table::ALL {
            let mut distinct: Vec<&Key> = Vec::new();
            for key in keys.iter().flatten().filter(|key| key.table == table) {
                // DynamoDB refuses a batch that names one item twice.
                if !distinct.contains(&key) {
                    distinct.push(key);
                }
            }
            if !distinct.is_empty() {
                let of_table = KeysAndAttributes::builder()
                    .consistent_read(true)
                    .set_keys(Some(distinct.iter().map(|key| key.attributes()).collect()))
                    .build()?;
                asked.insert(self.name(table)?.to_owned(), of_table);
            }
        }
        if asked.is_empty() {
            return Ok(vec![None; keys.len()]);
        }
        let mut found = self.read_until_complete(asked).await?;
        let mut items = Vec::with_capacity(keys.len());
        for (index, wanted) in keys.iter().enumerate() {
            let Some(key) = wanted else {
                items.push(None);
                continue;
            };
            let table = self.name(key.table)?;
            let at = found.iter().position(|(of, item)| of == table && key.is_of(item));
            let wanted_again = keys[index + 1..].contains(wanted);
            items.push(at.map(|at| if wanted_again { found[at].1.clone() } else { found.swap_remove(at).1 }));
        }
        Ok(items)
    }

    async fn read_until_complete(
        &self,
        mut asked: HashMap<String, KeysAndAttributes>,
    ) -> Result<Vec<(String, Item)>, StoreError> {
        let mut found = Vec::new();
        for attempt in 0..ATTEMPTS {
            back_off(attempt).await;
            self.count_call();
            let reply = self.client.batch_get_item().set_request_items(Some(asked)).send().await?;
            for (table, items) in reply.responses.unwrap_or_default() {
                found.extend(items.into_iter().map(|item| (table.clone(), item)));
            }
            asked = reply.unprocessed_keys.unwrap_or_default();
            if asked.is_empty() {
                return Ok(found);
            }
        }
        Err("DynamoDB left keys of a batch unread.".into())
    }

    /// Writes a whole item, whatever was there.
    ///
    /// # Errors
    /// What DynamoDB or the network answered.
    pub async fn put(&self, table: Table, item: Item) -> Result<(), StoreError> {
        self.count_call();
        self.client.put_item().table_name(self.name(table)?).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Updates one item.
    ///
    /// # Errors
    /// What DynamoDB or the network answered; a condition that does not hold is no error but [`Conditional::Refused`].
    pub async fn update(&self, update: Update) -> Result<Conditional, StoreError> {
        let key = update.key.clone();
        self.update_by_hand(&key, |call| update.apply_to_call(call)).await
    }

    /// Updates one item by expressions that are written out, for the rule that [`Update`] has no words for.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub async fn update_by_hand(
        &self,
        key: &Key,
        build: impl FnOnce(UpdateItemFluentBuilder) -> UpdateItemFluentBuilder,
    ) -> Result<Conditional, StoreError> {
        let table = self.name(key.table)?;
        let request = build(self.client.update_item().table_name(table).set_key(Some(key.attributes())));
        in_time(Box::pin(self.update_without_conflict(request))).await
    }

    async fn update_without_conflict(&self, request: UpdateItemFluentBuilder) -> Result<Conditional, StoreError> {
        let mut attempt = 0;
        loop {
            self.count_call();
            match request.clone().send().await.map_err(SdkError::into_service_error) {
                Ok(reply) => return Ok(Conditional::Done(reply.attributes.unwrap_or_default())),
                Err(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    return Ok(Conditional::Refused(refusal.item));
                }
                // The SDK does not repeat an update that met a transaction on the same item.
                Err(UpdateItemError::TransactionConflictException(_)) if attempt + 1 < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
            back_off(attempt).await;
        }
    }

    /// A query of this table, read consistently.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn query(&self, table: Table) -> Result<QueryFluentBuilder, StoreError> {
        self.count_call();
        Ok(self.client.query().table_name(self.name(table)?).consistent_read(true))
    }

    /// A scan of this table, read consistently.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn scan(&self, table: Table) -> Result<ScanFluentBuilder, StoreError> {
        self.count_call();
        Ok(self.client.scan().table_name(self.name(table)?).consistent_read(true))
    }
}

/// Bounds a call with all of its repetitions by what the SDK may take for one: a function's timeout is sized to that.
async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(OPERATION, call)
        .await
        .unwrap_or_else(|_| Err("The repetitions of a call took too long.".into()))
}

/// How a conditional write of one item ended.
#[derive(Debug)]
pub enum Conditional {
    /// It was written; the attributes that the call asked to be returned.
    Done(Item),
    /// Its condition did not hold; the item as it is, where the call asked for it and there is one.
    Refused(Option<Item>),
}

/// Whether the SDK's error says this code.
fn has_code<E: ProvideErrorMetadata>(error: &E, code: &str) -> bool {
    error.code() == Some(code)
}

/// Waits before a repeated attempt: nothing at first, then 10 ms, doubled each time, less a random part so that
/// contenders do not meet again.
async fn back_off(attempt: u32) {
    if attempt == 0 {
        return;
    }
    // Without randomness contenders merely meet again.
    let [part] = random::bytes().unwrap_or_default();
    let ceiling = Duration::from_millis(10 << attempt.min(6));
    tokio::time::sleep(ceiling.mul_f64(0.5 + f64::from(part) / 512.0)).await;
}
