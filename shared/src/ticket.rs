//! SSO tickets: proof, for one redemption within seconds, that an App sent this customer to its platform.

use std::time::Duration;

use crate::{
    Store, Timestamp,
    credential::ttl,
    store::{Conditional, Item, ItemExt, Key, StoreError, Table, bytes, number, text},
    token::{Token, TokenHash},
};

/// A ticket as stored, under its hash.
#[derive(Debug)]
pub struct Ticket {
    /// The superkey of the App that issued it.
    pub app: String,
    /// The platformkey of the platform that may redeem it.
    pub platform: String,
    /// The customer it speaks of.
    pub cuid: String,
    /// The customer's epoch when it was issued.
    pub epoch: u64,
    /// The first moment at which it is no longer valid.
    pub expires_at: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

impl Ticket {
    /// Where the ticket that a platform presents is.
    #[must_use]
    pub fn record_key(presented: &str) -> Key {
        let hash = TokenHash::of(presented);
        Key::new(Table::Tickets, "hash", hash.to_key())
    }

    /// Reads a ticket.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            app: item.text("app")?.to_owned(),
            platform: item.text("platform")?.to_owned(),
            cuid: item.text("cuid")?.to_owned(),
            epoch: item.number("epoch")?,
            expires_at: item.timestamp("expires_at")?,
            redeemed: item.contains_key("redeemed_by"),
        })
    }

    /// Stores a new ticket and answers it, this once.
    ///
    /// # Errors
    /// What DynamoDB, the network or the source of randomness answered.
    pub async fn issue(
        store: &Store,
        [app, platform, cuid]: [&str; 3],
        epoch: u64,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Token, StoreError> {
        let ticket = Token::new_ticket()?;
        let expires_at = now + lifetime;
        let mut item = Self::record_key(ticket.reveal()).attributes();
        let attributes = [
            ("app", text(app)),
            ("platform", text(platform)),
            ("cuid", text(cuid)),
            ("epoch", number(epoch)),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", ttl(expires_at)),
        ];
        item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
        store.put(Table::Tickets, item).await?;
        Ok(ticket)
    }

    /// Uses a ticket up. Of any number of parallel calls one is answered `true`.
    ///
    /// The ticket is marked rather than deleted: a call whose reply was lost, and which the SDK repeats, finds its own
    /// mark and not merely a ticket that is gone.
    ///
    /// # Errors
    /// What DynamoDB, the network or the source of randomness answered.
    pub async fn use_up(store: &Store, presented: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut mark = [0; 16];
        getrandom::fill(&mut mark)?;
        let written = store
            .update(&Self::record_key(presented), |update| {
                update
                    .update_expression("SET redeemed_by = :mark")
                    .condition_expression("attribute_not_exists(redeemed_by) AND expires_at > :now")
                    .expression_attribute_values(":mark", bytes(mark))
                    .expression_attribute_values(":now", number(now.as_millis()))
                    .return_values_on_condition_check_failure(
                        aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
                    )
            })
            .await?;
        Ok(match written {
            Conditional::Done(_) => true,
            Conditional::Refused(item) => item.is_some_and(|item| item.bytes("redeemed_by") == Some(&mark[..])),
        })
    }
}
