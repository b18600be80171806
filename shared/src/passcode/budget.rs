//! Budgets: how many mails a day may go to one mailbox over all Apps, and for one App to all of its customers.
//!
//! A budget is a counter for a day (UTC) that many sends share. Each takes its mail from it in one conditional call, whose
//! condition is the limit, beside the claim of the mail. The item names the claims of the last minute: a call that is
//! repeated because its reply was lost finds its name and counts once, and only what was taken is given back.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{
    Pepper,
    limits::{MAILS_PER_MAILBOX, NAMED_FOR},
};
use crate::{
    Store, Timestamp,
    email::EmailAddress,
    id::Superkey,
    store::{Attribute, Conditional, ItemExt, Key, StoreError, Table, bytes, number, ttl},
};

const DAY: u64 = 24 * 60 * 60 * 1000;
/// The sets in turn that name claims: one is written to, one may still be asked by who began before, one may be written
/// to by who has a clock that is ahead, and one is emptied.
const SETS: u64 = 4;

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Everybody who mails to this mailbox.
    Mailbox,
    /// The App.
    App,
}

/// The budget of a mailbox or of an App, for the day of a claim.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) owner: Owner,
    key: Key,
    limit: u64,
    set: String,
    emptied: String,
    /// When the next day begins.
    pub(super) ends_at: Timestamp,
}

impl Budget {
    /// That of the mailbox which an address leads to. Its name is a MAC, so that no table tells the address: with
    /// another pepper the day's count begins anew.
    pub(super) fn of_mailbox(pepper: &Pepper, address: &EmailAddress, at: Timestamp) -> Self {
        Self::new(Owner::Mailbox, &pepper.mailbox_mac(&address.mailbox()), MAILS_PER_MAILBOX, at)
    }

    /// That of an App.
    pub(super) fn of_app(superkey: &Superkey, mails_per_day: u64, at: Timestamp) -> Self {
        Self::new(Owner::App, superkey.as_str(), mails_per_day, at)
    }

    fn new(owner: Owner, name: &str, limit: u64, at: Timestamp) -> Self {
        let day = at.as_millis() / DAY;
        let turn = at.as_millis() / u64::try_from(NAMED_FOR.as_millis()).unwrap_or(u64::MAX);
        let set = |turn: u64| format!("claims_{}", turn % SETS);
        Self {
            owner,
            key: Key::new(Table::Passcodes, "id", format!("budget/{day}/{name}")),
            limit,
            set: set(turn),
            emptied: set(turn + SETS / 2),
            ends_at: Timestamp::from_millis((day + 1) * DAY),
        }
    }

    /// Takes one mail for this claim; `false` where the day's are spent.
    ///
    /// # Errors
    /// What DynamoDB or the network answered. It may have been taken then.
    pub(super) async fn take(&self, store: &Store, claim: [u8; 16]) -> Result<bool, StoreError> {
        let written = store
            .update_by_hand(&self.key, |update| {
                update
                    .update_expression("ADD taken :one, #set :claims SET #ttl = :ttl REMOVE #emptied")
                    .condition_expression(
                        "(attribute_not_exists(taken) OR taken < :limit) AND NOT contains(#set, :claim)",
                    )
                    .expression_attribute_names("#set", &self.set)
                    .expression_attribute_names("#emptied", &self.emptied)
                    .expression_attribute_names("#ttl", "ttl")
                    .expression_attribute_values(":one", number(1))
                    .expression_attribute_values(":claims", Attribute::Bs(vec![claim.to_vec().into()]))
                    .expression_attribute_values(":claim", bytes(claim))
                    .expression_attribute_values(":limit", number(self.limit))
                    .expression_attribute_values(":ttl", ttl(self.ends_at))
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            })
            .await?;
        Ok(match written {
            Conditional::Done(_) => true,
            // The SDK repeated a write whose reply was lost.
            Conditional::Refused(Some(item)) => item.byte_strings(&self.set).iter().any(|it| it.as_ref() == claim),
            Conditional::Refused(None) => false,
        })
    }

    /// Gives back what this claim took, if it took anything.
    ///
    /// # Errors
    /// What DynamoDB or the network answered: the mail then counts though none went out.
    pub(super) async fn give_back(&self, store: &Store, claim: [u8; 16]) -> Result<(), StoreError> {
        let written = store.update_by_hand(&self.key, |update| {
            update
                .update_expression("ADD taken :minus_one DELETE #set :claims")
                .condition_expression("contains(#set, :claim)")
                .expression_attribute_names("#set", &self.set)
                .expression_attribute_values(":minus_one", Attribute::N("-1".to_owned()))
                .expression_attribute_values(":claims", Attribute::Bs(vec![claim.to_vec().into()]))
                .expression_attribute_values(":claim", bytes(claim))
        });
        written.await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(millis: u64) -> Budget {
        Budget::new(Owner::App, "App", 1, Timestamp::from_millis(millis))
    }

    #[test]
    fn a_day_ends_at_midnight_in_utc() {
        assert_eq!(budget(0).ends_at.to_rfc3339(), "1970-01-02T00:00:00.000Z");
        assert_eq!(budget(DAY - 1).key, budget(0).key);
        assert_ne!(budget(DAY).key, budget(0).key);
    }

    #[test]
    fn a_claim_is_named_for_as_long_as_it_may_be_repeated() {
        let length = u64::try_from(NAMED_FOR.as_millis()).unwrap();
        let named = budget(0).set;
        for turn in 1..SETS {
            assert_ne!(budget(turn * length).set, named);
            assert_eq!(budget(turn * length).emptied == named, turn == SETS / 2);
        }
    }
}
