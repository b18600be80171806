//! Sending: whether to mail, which code, and the calls that claim, confirm and release a mail.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{
    Pepper, State,
    limits::{KEPT, MAIL_WINDOWS, longest_window},
};
use crate::{
    Store, Timestamp, random,
    store::{Attribute, Conditional, Key, StoreError, bytes, number, text, ttl},
};

/// The settings of sending.
#[derive(Clone, Copy, Debug)]
pub struct SendRules {
    /// How long a passcode is valid from its first issue.
    pub lifetime: Duration,
    /// For how long after a mail the next one of the same code is held back.
    pub cooldown: Duration,
}

/// What a send comes to.
#[derive(Debug)]
pub enum Plan {
    /// A mail that carries the living code went out, or is going out: none now.
    HeldBack {
        /// How long until the next mail can be had.
        retry_after: Duration,
    },
    /// Too many mails, or the pause after too many wrong guesses.
    TooMany {
        /// How long until the next mail can be had.
        retry_after: Duration,
    },
    /// Mail the code that this nonce stands for, once the claim is written.
    Mail(Claim),
}

/// A mail about to be claimed.
#[derive(Debug)]
pub struct Claim {
    /// Claim id and nonce as they were read.
    seen: [Option<Vec<u8>>; 2],
    mails_before: Vec<Timestamp>,
    pause_is_over: bool,
    /// The generation of the pepper, for a new code to name.
    new_code_of: Option<String>,
    id: [u8; 16],
    at: Timestamp,
    /// What the code is derived from.
    pub nonce: Vec<u8>,
    /// When the code stops being valid.
    pub expires_at: Timestamp,
}

/// How a claim ended.
#[derive(Debug)]
pub enum Claimed {
    /// The mail is this invocation's to send.
    Won,
    /// Something was written since the item was read: decide again on this.
    Changed(Box<State>),
}

/// Decides on what was read. Pure, but for the randomness of a new nonce.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn plan_send(
    state: &State,
    pepper: &Pepper,
    [app, cuid]: [&str; 2],
    rules: SendRules,
    now: Timestamp,
) -> Result<Plan, getrandom::Error> {
    let pause_ends = state.pause_ends();
    if let Some(ends) = pause_ends.filter(|ends| now < *ends) {
        return Ok(Plan::TooMany { retry_after: ends.since(now) });
    }
    let living = state.living_nonce(pepper, app, cuid, now);
    if living.is_some() {
        let held_until = state.lease_until.max(state.mailed_at.map(|mailed_at| mailed_at + rules.cooldown));
        if let Some(until) = held_until.filter(|until| now < *until) {
            return Ok(Plan::HeldBack { retry_after: until.since(now) });
        }
    }
    if let Some(until) = window_opens(&state.mails, now).filter(|until| now < *until) {
        return Ok(Plan::TooMany { retry_after: until.since(now) });
    }
    let (id, fresh) = (random::bytes()?, random::bytes::<16>()?.to_vec());
    Ok(Plan::Mail(Claim {
        seen: [state.claim.clone(), state.nonce.clone()],
        mails_before: state.mails.iter().copied().filter(|sent| now.since(*sent) < longest_window()).collect(),
        pause_is_over: pause_ends.is_some(),
        new_code_of: living.is_none().then(|| pepper.generation().to_owned()),
        id,
        at: now,
        nonce: living.map_or(fresh, <[u8]>::to_vec),
        expires_at: state.expires_at.filter(|_| living.is_some()).unwrap_or(now + rules.lifetime),
    }))
}

/// When the next mail fits into every window.
fn window_opens(mails: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let opens = MAIL_WINDOWS.iter().filter_map(|window| {
        let mut within: Vec<_> = mails.iter().filter(|sent| now < **sent + window.length).collect();
        within.sort_unstable();
        // The oldest of the last so many has to leave the window first.
        Some(**within.get(within.len().checked_sub(window.mails)?)? + window.length)
    });
    opens.max()
}

/// Claims the mail in one conditional write on what was read, before anything is mailed. Until `lease_until` others
/// answer as in the cooldown; a crash leaves no longer silence.
///
/// # Errors
/// What DynamoDB or the network answered.
pub async fn claim_mail(
    store: &Store,
    key: &Key,
    cuid: &str,
    claim: &Claim,
    lease_until: Timestamp,
) -> Result<Claimed, StoreError> {
    let mut set = vec!["claim = :claim, lease_until = :lease, mails = :mails, cuid = :cuid, #ttl = :ttl"];
    let mut remove = "";
    if claim.new_code_of.is_some() {
        set.push("nonce = :nonce, pepper = :pepper, expires_at = :expires");
        remove = " REMOVE tried, mailed_at";
    }
    if claim.pause_is_over {
        set.push("failures = :zero");
    }
    let unchanged = |name: &str, read: bool| {
        if read { format!("{name} = :read_{name}") } else { format!("attribute_not_exists({name})") }
    };
    let [seen_claim, seen_nonce] = &claim.seen;
    let condition = [unchanged("claim", seen_claim.is_some()), unchanged("nonce", seen_nonce.is_some())];
    // Until it is known when the mail went out it counts from the latest moment at which it can.
    let mails = claim.mails_before.iter().chain([&lease_until]);
    let mut values = vec![
        (":claim", bytes(claim.id)),
        (":lease", number(lease_until.as_millis())),
        (":mails", list(mails)),
        (":cuid", text(cuid)),
        (":ttl", ttl(claim.at + KEPT)),
    ];
    if let Some(generation) = &claim.new_code_of {
        values.push((":nonce", bytes(claim.nonce.clone())));
        values.push((":pepper", text(generation)));
        values.push((":expires", number(claim.expires_at.as_millis())));
    }
    if claim.pause_is_over {
        values.push((":zero", number(0)));
    }
    let read = [(":read_claim", seen_claim), (":read_nonce", seen_nonce)];
    values.extend(read.into_iter().filter_map(|(name, value)| Some((name, bytes(value.clone()?)))));
    let written = store
        .update_by_hand(key, |update| {
            update
                .update_expression(format!("SET {}{remove}", set.join(", ")))
                .condition_expression(condition.join(" AND "))
                .expression_attribute_names("#ttl", "ttl")
                .set_expression_attribute_values(Some(named(values)))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        })
        .await?;
    Ok(match written {
        Conditional::Done(_) => Claimed::Won,
        Conditional::Refused(item) => match State::from_item(item.as_ref()) {
            // The SDK repeated a write whose reply was lost.
            state if state.claim.as_deref() == Some(&claim.id[..]) => Claimed::Won,
            state => Claimed::Changed(state.into()),
        },
    })
}

/// Notes that the provider took the mail: the cooldown and the windows run from now on.
///
/// # Errors
/// What DynamoDB or the network answered. The mail is out all the same.
pub async fn confirm_mail(store: &Store, key: &Key, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
    let mails = list(claim.mails_before.iter().chain([&now]));
    let values = vec![(":now", number(now.as_millis())), (":mails", mails), (":claim", bytes(claim.id))];
    end_claim(store, key, "SET mailed_at = :now, mails = :mails REMOVE lease_until", values).await
}

/// Gives the claim back. A mail that the provider `refused` does not count; one whose outcome is unknown does.
///
/// # Errors
/// What DynamoDB or the network answered: the lease then ends by itself.
pub async fn release_mail(store: &Store, key: &Key, claim: &Claim, refused: bool) -> Result<(), StoreError> {
    let mut values = vec![(":claim", bytes(claim.id))];
    let mut expression = "REMOVE lease_until";
    if refused {
        values.push((":mails", list(claim.mails_before.iter())));
        expression = "SET mails = :mails REMOVE lease_until";
    }
    end_claim(store, key, expression, values).await
}

/// Ends the lease, if it is still this claim's: a later one is somebody else's to end.
async fn end_claim(
    store: &Store,
    key: &Key,
    expression: &str,
    values: Vec<(&'static str, Attribute)>,
) -> Result<(), StoreError> {
    let written = store.update_by_hand(key, |update| {
        update
            .update_expression(expression)
            .condition_expression("claim = :claim")
            .set_expression_attribute_values(Some(named(values)))
    });
    written.await.map(|_| ())
}

fn list<'a>(moments: impl Iterator<Item = &'a Timestamp>) -> Attribute {
    Attribute::L(moments.map(|moment| number(moment.as_millis())).collect())
}

fn named(values: Vec<(&'static str, Attribute)>) -> crate::store::Item {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
