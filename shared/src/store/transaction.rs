//! Several writes that happen together or not at all.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as UpdateWrite,
    },
};

use super::{ATTEMPTS, Conditions, Item, Key, Store, StoreError, Table, Update, back_off, has_code, in_time};

/// Reasons of a cancelled transaction that pass by themselves: another writer, or a busy partition. The SDK repeats
/// none of them.
const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// Characters of the token under which DynamoDB takes repeated attempts for one; it allows 36.
const CLIENT_TOKEN_LENGTH: usize = 22;

/// Writes to be made together; no two of one item.
#[derive(Debug)]
pub struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
}

/// How a transaction ended.
#[derive(Debug)]
pub enum Outcome {
    /// Everything was written.
    Done,
    /// Nothing was: some condition did not hold. One entry a write, in order: whether its condition failed, and the
    /// item as it is where the write asked for it.
    Refused(Vec<Refusal>),
}

/// What became of one write of a refused transaction.
#[derive(Debug, Default)]
pub struct Refusal {
    /// Whether this write's condition was the one, or one of those, that failed.
    pub condition_failed: bool,
    /// The item as it is.
    pub item: Option<Item>,
}

impl<'a> Transaction<'a> {
    /// An empty transaction.
    #[must_use]
    pub const fn new(store: &'a Store) -> Self {
        Self { store, writes: Vec::new() }
    }

    /// Adds an item that must not exist yet, told by its partition key's name. If it does, it is answered.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn create(mut self, table: Table, partition_key: &str, item: Item) -> Result<Self, StoreError> {
        let put = Put::builder()
            .table_name(self.store.name(table)?)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", partition_key)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.writes.push(TransactWriteItem::builder().put(put.build()?).build());
        Ok(self)
    }

    /// Adds an item, whatever was there.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn put(mut self, table: Table, item: Item) -> Result<Self, StoreError> {
        let put = Put::builder().table_name(self.store.name(table)?).set_item(Some(item));
        self.writes.push(TransactWriteItem::builder().put(put.build()?).build());
        Ok(self)
    }

    /// Adds an item where the conditions hold of what was there. If they do not, that is answered.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn put_if(mut self, table: Table, item: Item, conditions: Conditions) -> Result<Self, StoreError> {
        let put = Put::builder().table_name(self.store.name(table)?).set_item(Some(item));
        self.writes.push(TransactWriteItem::builder().put(conditions.apply_to_put(put).build()?).build());
        Ok(self)
    }

    /// Adds an update of one item. If its condition does not hold, the item as it is is answered.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn update(mut self, update: Update) -> Result<Self, StoreError> {
        let key = &update.key;
        let write = UpdateWrite::builder().table_name(self.store.name(key.table)?).set_key(Some(key.attributes()));
        self.writes.push(TransactWriteItem::builder().update(update.apply_to(write).build()?).build());
        Ok(self)
    }

    /// Adds the deletion of one item, where the conditions hold.
    ///
    /// # Errors
    /// When the table's name is not configured.
    pub fn delete(mut self, key: &Key, conditions: Conditions) -> Result<Self, StoreError> {
        let delete = Delete::builder().table_name(self.store.name(key.table)?).set_key(Some(key.attributes()));
        self.writes.push(TransactWriteItem::builder().delete(conditions.apply_to(delete).build()?).build());
        Ok(self)
    }

    /// Writes everything or nothing.
    ///
    /// What passes by itself, such as a conflict with another writer, is tried again, as is a call whose reply was
    /// lost: all attempts carry one token, under which DynamoDB writes once.
    ///
    /// # Errors
    /// What DynamoDB or the network answered; a condition that does not hold is no error but [`Outcome::Refused`].
    pub async fn commit(self) -> Result<Outcome, StoreError> {
        in_time(Box::pin(self.commit_without_conflict())).await
    }

    async fn commit_without_conflict(self) -> Result<Outcome, StoreError> {
        let token = crate::token::base62(CLIENT_TOKEN_LENGTH)?;
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            back_off(attempt).await;
            self.store.count_call();
            let request = self.store.client.transact_write_items().client_request_token(&token);
            match request.set_transact_items(Some(self.writes.clone())).send().await {
                Ok(_) => return Ok(Outcome::Done),
                Err(SdkError::ServiceError(refusal)) => match refusal.into_err() {
                    TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                        let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                        if reasons.iter().any(|reason| says(reason, "ConditionalCheckFailed")) {
                            return Ok(Outcome::Refused(reasons.into_iter().map(Refusal::from).collect()));
                        }
                        let Some(passing) = PASSING.into_iter().find(|code| reasons.iter().any(|it| says(it, code)))
                        else {
                            return Err(format!("The transaction was cancelled: {}", codes(&reasons)).into());
                        };
                        last = Some(passing);
                    }
                    error if has_code(&error, "TransactionInProgressException") => last = Some("TransactionInProgress"),
                    error => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(format!("The transaction was put off too often: {}", last.unwrap_or_default()).into())
    }
}

impl From<CancellationReason> for Refusal {
    fn from(reason: CancellationReason) -> Self {
        Self { condition_failed: says(&reason, "ConditionalCheckFailed"), item: reason.item }
    }
}

fn says(reason: &CancellationReason, code: &str) -> bool {
    reason.code.as_deref() == Some(code)
}

fn codes(reasons: &[CancellationReason]) -> String {
    reasons.iter().map(|reason| reason.code.as_deref().unwrap_or("?")).collect::<Vec<_>>().join(", ")
}
