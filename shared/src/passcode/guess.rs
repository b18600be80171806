//! Guessing: a guess is counted before it is compared, and a right one uses the passcode up.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{MAX_FAILURES, MAX_TRIED, Passcode, Peppers, State};
use crate::{
    Store, Timestamp,
    store::{
        Attribute, Conditional, Conditions, Item, Key, Outcome, StoreError, Table, Transaction, Update, bytes, number,
        text,
    },
};

/// A guess at the passcode of one customer.
#[derive(Debug)]
pub struct Guess<'a> {
    /// Where the passcode is.
    pub key: &'a Key,
    /// The App that asks.
    pub app: &'a str,
    /// The customer.
    pub cuid: &'a str,
    /// What was guessed.
    pub passcode: &'a Passcode,
}

/// What a guess came to.
#[derive(Debug)]
pub enum Guessed {
    /// It is the code of this nonce, not used up yet.
    Right {
        /// What to use up.
        nonce: Vec<u8>,
    },
    /// It is new and wrong.
    Wrong {
        /// Whether it was the last that this passcode allows.
        exhausted: bool,
        /// Whether it was the last before the pause.
        paused: bool,
    },
    /// Nothing was compared, or what was compared is an old guess that is still wrong.
    Refused,
}

/// Counts the guess in one conditional write, and only then compares it.
///
/// The condition is the limit: it holds for at most five distinct guesses a passcode and 25 failures in a row, however
/// many calls come at once. A guess that was counted before is compared again at no cost, so that whoever lost the reply
/// to the right one can repeat it.
///
/// # Errors
/// What DynamoDB or the network answered.
pub async fn count_guess(
    store: &Store,
    peppers: &Peppers,
    guess: &Guess<'_>,
    now: Timestamp,
) -> Result<Guessed, StoreError> {
    let macs = peppers.guess_macs(guess.passcode, guess.app, guess.cuid);
    let [mac, other_mac] = &macs;
    let written = store
        .update_by_hand(guess.key, |update| {
            update
                .update_expression("ADD tried :macs, failures :one SET last_guess_at = :now")
                .condition_expression(
                    "attribute_exists(nonce) AND cuid = :cuid AND expires_at > :now \
                     AND (attribute_not_exists(tried) OR size(tried) < :max_tried) \
                     AND NOT contains(tried, :mac) AND NOT contains(tried, :other_mac) \
                     AND (attribute_not_exists(failures) OR failures < :max_failures)",
                )
                .expression_attribute_values(":macs", Attribute::Bs(vec![mac.clone().into()]))
                .expression_attribute_values(":mac", bytes(mac.clone()))
                .expression_attribute_values(":other_mac", bytes(other_mac.clone()))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":now", number(now.as_millis()))
                .expression_attribute_values(":cuid", text(guess.cuid))
                .expression_attribute_values(":max_tried", number(MAX_TRIED as u64))
                .expression_attribute_values(":max_failures", number(MAX_FAILURES))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        })
        .await?;
    let (state, is_new) = match &written {
        Conditional::Done(item) => (State::from_item(Some(item)), true),
        Conditional::Refused(item) => (State::from_item(item.as_ref()), false),
    };
    if !is_new && !state.was_tried(&macs) {
        return Ok(Guessed::Refused);
    }
    let valid = state.valid_nonce(guess.cuid, now).zip(state.pepper.as_deref());
    let right = valid.filter(|(nonce, version)| {
        peppers.code(version, nonce, guess.app, guess.cuid).is_some_and(|code| code.matches(guess.passcode))
    });
    Ok(match right {
        Some((nonce, _)) => Guessed::Right { nonce: nonce.to_vec() },
        None if is_new => {
            Guessed::Wrong { exhausted: state.tried.len() >= MAX_TRIED, paused: state.failures >= MAX_FAILURES }
        }
        None => Guessed::Refused,
    })
}

/// Uses the passcode of this nonce up and stores the pair, together. Of any number of calls with one nonce, one is
/// answered `true`; the window of mails is kept, the failures in a row are forgotten.
///
/// # Errors
/// What DynamoDB or the network answered. The passcode is still good then, unless the reply alone was lost.
pub async fn redeem(store: &Store, key: &Key, nonce: Vec<u8>, pair: Item, now: Timestamp) -> Result<bool, StoreError> {
    let used_up = ["nonce", "pepper", "tried", "expires_at", "mailed_at", "lease_until"];
    let update = used_up.into_iter().fold(Update::of(key), Update::remove).set("failures", number(0));
    let update = update.only_if(Conditions::default().equal("nonce", bytes(nonce)).later("expires_at", now));
    let transaction = Transaction::new(store).update(update)?.put(Table::Credentials, pair)?;
    Ok(matches!(transaction.commit().await?, Outcome::Done))
}
