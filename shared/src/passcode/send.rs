//! Sending: whether to mail, which code, and the calls that claim, confirm and release a mail.
//!
//! A mail is claimed in the customer's item and taken from two budgets, at once. Where one of the three is refused,
//! nothing is mailed, and the others are given back.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{
    Owner, Pepper, State,
    budget::Budget,
    limits::{KEPT, MAIL_WINDOWS, longest_window},
    record_key,
};
use crate::{
    Store, Timestamp,
    email::EmailAddress,
    id::Subject,
    random,
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
        /// Whether the provider found that no mail can go to the address, so that it carried nothing.
        undeliverable: bool,
        /// What the living code is derived from.
        nonce: Vec<u8>,
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
    seen: Seen,
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

/// What the item said when it was read. The claim is won only where it still does.
#[derive(Debug)]
struct Seen {
    claim: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

/// How a claim ended.
#[derive(Debug)]
pub enum Claimed {
    /// The mail is this invocation's to send.
    Won,
    /// Something was written since the item was read: decide again on this.
    Changed(Box<State>),
    /// The day's mails of a mailbox or an App are spent: nothing was claimed.
    Spent {
        /// Whose they are.
        owner: Owner,
        /// How long until the next day begins.
        retry_after: Duration,
    },
}

/// Why a mail is not out, or may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider refused it, or it was never handed over. It counts for nothing.
    Refused,
    /// The provider refused it because no mail can go to the address. It counts, and the next one is held back.
    Undeliverable,
    /// The outcome is unknown. It counts.
    Unknown,
}

/// Decides on what was read. Pure, but for the randomness of a new nonce.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn plan_send(
    state: &State,
    pepper: &Pepper,
    whose: &Subject,
    rules: SendRules,
    now: Timestamp,
) -> Result<Plan, getrandom::Error> {
    let pause_ends = state.pause_ends();
    if let Some(ends) = pause_ends.filter(|ends| now < *ends) {
        return Ok(Plan::TooMany { retry_after: ends.since(now) });
    }
    let living = state.living_nonce(pepper, whose, now);
    if let Some(nonce) = living {
        let held_until = state.lease_until.max(state.mailed_at.map(|mailed_at| mailed_at + rules.cooldown));
        if let Some(until) = held_until.filter(|until| now < *until) {
            let undeliverable = state.undeliverable;
            return Ok(Plan::HeldBack { retry_after: until.since(now), undeliverable, nonce: nonce.to_vec() });
        }
    }
    if let Some(until) = window_opens(&state.mails, now).filter(|until| now < *until) {
        return Ok(Plan::TooMany { retry_after: until.since(now) });
    }
    let (id, fresh) = (random::bytes()?, random::bytes::<16>()?.to_vec());
    Ok(Plan::Mail(Claim {
        seen: Seen { claim: state.claim.clone(), nonce: state.nonce.clone() },
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

/// Whom a mail is for, and whose budgets it is taken from.
#[derive(Clone, Copy, Debug)]
pub struct Mailing<'a> {
    /// Passcodes, budgets among them.
    pub store: &'a Store,
    /// What the mailbox's name is derived with.
    pub pepper: &'a Pepper,
    /// The customer, and the App that sends.
    pub whose: &'a Subject,
    /// The address on record.
    pub address: &'a EmailAddress,
    /// How many mails the App may send a day.
    pub mails_per_day: u64,
}

impl Mailing<'_> {
    fn key(&self) -> Key {
        record_key(&self.whose.app, self.address)
    }

    /// The budgets of the day on which the mail was claimed.
    fn budgets(&self, claim: &Claim) -> [Budget; 2] {
        [
            Budget::of_mailbox(self.pepper, self.address, claim.at),
            Budget::of_app(&self.whose.app, self.mails_per_day, claim.at),
        ]
    }

    /// Claims the mail and takes it from both budgets, before anything is mailed. Until `lease_until` others answer as
    /// in the cooldown; a crash leaves no longer silence.
    ///
    /// # Errors
    /// What DynamoDB or the network answered.
    pub async fn claim_mail(&self, claim: &Claim, lease_until: Timestamp) -> Result<Claimed, StoreError> {
        let budgets = self.budgets(claim);
        let [mailbox, app] = &budgets;
        let (claimed, of_mailbox, of_app) = tokio::join!(
            self.write_claim(claim, lease_until),
            mailbox.take(self.store, claim.id),
            app.take(self.store, claim.id)
        );
        let taken = [of_mailbox, of_app];
        if matches!((&claimed, &taken), (Ok(Claimed::Won), [Ok(true), Ok(true)])) {
            return claimed;
        }
        // Nothing is mailed. What may have been taken is given back, and only a claim that was won is there to be ended.
        let spent = budgets.iter().zip(&taken).find(|(_, taken)| matches!(taken, Ok(false))).map(|(budget, _)| budget);
        let undone = if matches!(claimed, Ok(Claimed::Won)) {
            self.release_mail(claim, Failure::Refused).await
        } else {
            self.give_back(claim).await
        };
        let claimed = claimed?;
        undone?;
        for taken in taken {
            taken?;
        }
        Ok(match (claimed, spent) {
            (Claimed::Won, Some(budget)) => {
                Claimed::Spent { owner: budget.owner, retry_after: budget.ends_at.since(claim.at) }
            }
            (claimed, _) => claimed,
        })
    }

    /// The claim itself: one conditional write on what was read.
    async fn write_claim(&self, claim: &Claim, lease_until: Timestamp) -> Result<Claimed, StoreError> {
        let mut set = vec!["claim = :claim, lease_until = :lease, mails = :mails, cuid = :cuid, #ttl = :ttl"];
        let mut remove = " REMOVE undeliverable";
        if claim.new_code_of.is_some() {
            set.push("nonce = :nonce, pepper = :pepper, expires_at = :expires");
            remove = " REMOVE undeliverable, tried, mailed_at";
        }
        if claim.pause_is_over {
            set.push("failures = :zero");
        }
        let unchanged = |name: &str, read: bool| {
            if read { format!("{name} = :read_{name}") } else { format!("attribute_not_exists({name})") }
        };
        let seen = &claim.seen;
        let condition = [unchanged("claim", seen.claim.is_some()), unchanged("nonce", seen.nonce.is_some())];
        // Until it is known when the mail went out it counts from the latest moment at which it can.
        let mails = claim.mails_before.iter().chain([&lease_until]);
        let mut values = vec![
            (":claim", bytes(claim.id)),
            (":lease", number(lease_until.as_millis())),
            (":mails", list(mails)),
            (":cuid", text(self.whose.cuid.as_str())),
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
        let read = [(":read_claim", &seen.claim), (":read_nonce", &seen.nonce)];
        values.extend(read.into_iter().filter_map(|(name, value)| Some((name, bytes(value.clone()?)))));
        let written = self
            .store
            .update_by_hand(&self.key(), |update| {
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
    pub async fn confirm_mail(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        let mails = list(claim.mails_before.iter().chain([&now]));
        let values = vec![(":now", number(now.as_millis())), (":mails", mails)];
        self.end_claim(claim, "SET mailed_at = :now, mails = :mails REMOVE lease_until", values).await
    }

    /// Ends the claim of a mail that is not out, or may not be. What counts and what does not, [`Failure`] says.
    ///
    /// # Errors
    /// What DynamoDB or the network answered: the lease then ends by itself.
    pub async fn release_mail(&self, claim: &Claim, failure: Failure) -> Result<(), StoreError> {
        match failure {
            Failure::Refused => {
                let values = vec![(":mails", list(claim.mails_before.iter()))];
                let ended = self.end_claim(claim, "SET mails = :mails REMOVE lease_until", values);
                let (ended, given_back) = tokio::join!(ended, self.give_back(claim));
                ended.and(given_back)
            }
            Failure::Undeliverable => {
                let values = vec![(":at", number(claim.at.as_millis())), (":true", Attribute::Bool(true))];
                self.end_claim(claim, "SET mailed_at = :at, undeliverable = :true REMOVE lease_until", values).await
            }
            Failure::Unknown => self.end_claim(claim, "REMOVE lease_until", Vec::new()).await,
        }
    }

    /// Ends the lease, if it is still this claim's: a later one is somebody else's to end.
    async fn end_claim(
        &self,
        claim: &Claim,
        expression: &str,
        mut values: Vec<(&'static str, Attribute)>,
    ) -> Result<(), StoreError> {
        values.push((":claim", bytes(claim.id)));
        let key = self.key();
        let written = self.store.update_by_hand(&key, |update| {
            update
                .update_expression(expression)
                .condition_expression("claim = :claim")
                .set_expression_attribute_values(Some(named(values)))
        });
        written.await.map(|_| ())
    }

    /// Gives back what the claim took from the budgets.
    async fn give_back(&self, claim: &Claim) -> Result<(), StoreError> {
        let [mailbox, app] = &self.budgets(claim);
        let back = tokio::join!(mailbox.give_back(self.store, claim.id), app.give_back(self.store, claim.id));
        back.0.and(back.1)
    }
}

fn list<'a>(moments: impl Iterator<Item = &'a Timestamp>) -> Attribute {
    Attribute::L(moments.map(|moment| number(moment.as_millis())).collect())
}

fn named(values: Vec<(&'static str, Attribute)>) -> crate::store::Item {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
