//! Guessing: a guess is counted before it is compared, and a right one uses the passcode up.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{
    Passcode, Pepper, State,
    limits::{FAILURES_IN_A_ROW, GUESSES_PER_PASSCODE},
    record_key,
    state::without_code,
};
use crate::{
    Store, Timestamp,
    customer::Guard,
    id::Subject,
    store::{
        Attribute, Conditional, Conditions, Item, Key, Outcome, StoreError, Table, Transaction, bytes, number, text,
    },
};

/// A guess at the passcode of one customer.
#[derive(Debug)]
pub struct Guess<'a> {
    /// Where the passcode is.
    pub key: &'a Key,
    /// The customer, and the App that asks.
    pub whose: &'a Subject,
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
/// The condition is the limit: it holds for at most [`GUESSES_PER_PASSCODE`] distinct guesses and [`FAILURES_IN_A_ROW`],
/// however many calls come at once. A guess at a code of another pepper cannot be compared and is not counted. One that
/// was counted before is compared again at no cost, so that whoever lost the reply to the right one can repeat it.
///
/// # Errors
/// What DynamoDB or the network answered.
pub async fn count_guess(
    store: &Store,
    pepper: &Pepper,
    guess: &Guess<'_>,
    now: Timestamp,
) -> Result<Guessed, StoreError> {
    let mac = pepper.guess_mac(guess.passcode, guess.whose);
    let written = store
        .update_by_hand(guess.key, |update| {
            update
                .update_expression("ADD tried :macs, failures :one SET last_guess_at = :now")
                .condition_expression(
                    "attribute_exists(nonce) AND cuid = :cuid AND pepper = :pepper AND expires_at > :now \
                     AND (attribute_not_exists(tried) OR size(tried) < :max_tried) \
                     AND NOT contains(tried, :mac) \
                     AND (attribute_not_exists(failures) OR failures < :max_failures)",
                )
                .expression_attribute_values(":macs", Attribute::Bs(vec![mac.clone().into()]))
                .expression_attribute_values(":mac", bytes(mac.clone()))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":now", number(now.as_millis()))
                .expression_attribute_values(":cuid", text(guess.whose.cuid.as_str()))
                .expression_attribute_values(":pepper", text(pepper.generation()))
                .expression_attribute_values(":max_tried", number(GUESSES_PER_PASSCODE as u64))
                .expression_attribute_values(":max_failures", number(FAILURES_IN_A_ROW))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        })
        .await?;
    let (state, is_new) = match &written {
        Conditional::Done(item) => (State::from_item(Some(item)), true),
        Conditional::Refused(item) => (State::from_item(item.as_ref()), false),
    };
    if !is_new && !state.was_tried(&mac) {
        return Ok(Guessed::Refused);
    }
    let comparable = state.comparable_nonce(pepper, &guess.whose.cuid, now);
    let right = comparable.filter(|nonce| pepper.code(nonce, guess.whose).matches(guess.passcode));
    Ok(match right {
        Some(nonce) => Guessed::Right { nonce: nonce.to_vec() },
        None if is_new => Guessed::Wrong {
            exhausted: state.tried.len() >= GUESSES_PER_PASSCODE,
            paused: state.failures >= FAILURES_IN_A_ROW,
        },
        None => Guessed::Refused,
    })
}

/// Uses the passcode of this nonce up, stores the pair, and notes that the customer's address is proved: together. Of
/// any number of calls with one nonce, one is answered `true`; the window of mails is kept, the failures in a row are
/// forgotten.
///
/// # Errors
/// What DynamoDB or the network answered. The passcode is still good then, unless the reply alone was lost.
pub async fn redeem(
    store: &Store,
    guard: &Guard,
    nonce: Vec<u8>,
    pair: Item,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = record_key(&guard.subject.app, &guard.address);
    let living = Conditions::default().equal("nonce", bytes(nonce)).later("expires_at", now);
    let mut transaction = Transaction::new(store)
        .update(without_code(&key).set("failures", number(0)).only_if(living))?
        .put(Table::Credentials, pair)?;
    if guard.is_to_be_verified() {
        for update in guard.verified_updates(now) {
            transaction = transaction.update(update)?;
        }
    }
    Ok(matches!(transaction.commit().await?, Outcome::Done))
}
