//! The protocol: the item, and one function a call with the name that the call has in `shared::passcode`.
//!
//! Each function is what DynamoDB does atomically, or what an invocation decides between two calls; what happens in
//! which order, and what goes wrong, is for [`super::world`]. Time is in ticks from now, so that a state is the same
//! state whenever it comes about, and the space of states is finite though the protocol never ends.

use std::collections::BTreeSet;

use super::mutants::Mutant;

/// Ticks from now; what has passed is negative.
pub type Time = i8;
/// The present.
pub const NOW: Time = 0;
/// Names of random values: of nonces, of claims, of customers that had the address one after the other.
pub type Id = u8;

/// As many failures as one likes: for searches that are about something else.
pub const UNLIMITED: u8 = 99;

/// As many mails a day as one likes: a mail is then claimed without a budget.
pub const NO_BUDGET: u8 = 99;

/// The protocol's numbers, small enough to be searched through, in the order of size that the real ones have.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Distinct guesses that a code allows, `GUESSES_PER_PASSCODE`.
    pub max_tried: usize,
    /// Guesses in a row before the pause, `FAILURES_IN_A_ROW`.
    pub max_failures: u8,
    /// How long a code is valid, `PasscodeTtlSeconds` of the template.
    pub lifetime: Time,
    /// How long the next mail of a code is held back, `PasscodeCooldownSeconds`.
    pub cooldown: Time,
    /// The function's timeout, at which an invocation is killed.
    pub timeout: Time,
    /// How long the pause lasts, `PAUSE`.
    pub pause: Time,
    /// Mails that fit into a window, the first of `MAIL_WINDOWS`.
    pub max_mails: usize,
    /// How long that window is.
    pub window: Time,
    /// Mails that fit into a day's budget, `MAILS_PER_MAILBOX` or `MAILS_PER_APP`.
    pub budget: u8,
}

/// What somebody types: the code of a nonce, or digits that are the code of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guess {
    /// The code of this nonce.
    Code(Id),
    /// One of many wrong ones.
    Wrong(u8),
}

/// The passcode item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    pub cuid: Option<Id>,
    pub nonce: Option<Id>,
    /// The generation of the pepper that the code is derived with.
    pub pepper: u8,
    pub expires_at: Option<Time>,
    pub mailed_at: Option<Time>,
    pub lease_until: Option<Time>,
    pub claim: Option<Id>,
    pub mails: Vec<Time>,
    /// Their MACs: without the code's own pepper they are compared with nothing.
    pub tried: BTreeSet<Guess>,
    pub failures: u8,
    pub last_guess_at: Option<Time>,
}

/// The budget of one day. That of a mailbox and that of an App are alike, and one stands for both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Budget {
    pub taken: u8,
    /// The claims that took from it.
    pub claims: BTreeSet<Id>,
}

/// What a send comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A mail with the living code is out or going out.
    HeldBack { until: Time },
    /// The pause after too many guesses in a row.
    Paused { until: Time },
    /// The window of mails is full.
    TooMany { until: Time },
    /// Claim this, then mail.
    Mail(Claim),
}

/// A mail about to be claimed, or claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// Claim and nonce as they were read.
    pub seen: [Option<Id>; 2],
    pub mails_before: Vec<Time>,
    pub pause_is_over: bool,
    pub new_code: bool,
    pub id: Id,
    pub nonce: Id,
    pub pepper: u8,
    pub cuid: Id,
    pub expires_at: Time,
    pub lease_until: Time,
    /// When the claim was made, then when the mail was accepted.
    pub at: Time,
    /// Whether it was made on a former day, whose budget it is taken from.
    pub of_yesterday: bool,
}

/// Who guesses what: the digits, the pepper of the process that counts, the customer found under the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guesser {
    pub guess: Guess,
    pub pepper: u8,
    pub cuid: Id,
}

/// Who sends: the customer found under the address, and the pepper of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    pub cuid: Id,
    pub pepper: u8,
}

/// The protocol, or one that is broken in one place.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub rules: Rules,
    pub mutant: Option<Mutant>,
}

impl Protocol {
    pub fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// `State::living_nonce`: a code with no guess left lives on where the right one is among those counted, because
    /// whoever made it may still be about to use it, or to repeat it.
    pub fn living_nonce(&self, item: &Item, cuid: Id, pepper: u8) -> Option<Id> {
        let cuid = if self.is(Mutant::SendToAnyCustomer) { item.cuid? } else { cuid };
        let pepper = if self.is(Mutant::SendUnderAnyPepper) { item.pepper } else { pepper };
        let nonce = item.comparable_nonce(cuid, pepper)?;
        let right_tried = item.tried.contains(&Guess::Code(nonce)) && !self.is(Mutant::ExhaustedByTheRightGuess);
        (item.tried.len() < self.rules.max_tried || right_tried).then_some(nonce)
    }

    /// `State::pause_ends`.
    pub fn pause_ends(&self, item: &Item) -> Option<Time> {
        let last = item.last_guess_at.filter(|_| item.failures >= self.rules.max_failures)?;
        Some(last + self.rules.pause)
    }

    /// `window_opens`.
    fn window_opens(&self, mails: &[Time]) -> Option<Time> {
        let mut within: Vec<_> = mails.iter().filter(|sent| NOW < **sent + self.rules.window).collect();
        within.sort_unstable();
        Some(**within.get(within.len().checked_sub(self.rules.max_mails)?)? + self.rules.window)
    }

    /// The decision on what was read. `fresh` is the randomness of this claim, for its name and for a nonce.
    pub fn plan_send(&self, item: &Item, sender: Sender, fresh: Id, deadline: Time) -> Plan {
        let Sender { cuid, pepper } = sender;
        let pause_ends = self.pause_ends(item);
        if let Some(until) = pause_ends.filter(|ends| NOW < *ends) {
            return Plan::Paused { until };
        }
        let living = self.living_nonce(item, cuid, pepper);
        if living.is_some() || self.is(Mutant::CooldownOfDeadCodes) {
            let cooled = item.mailed_at.map(|mailed_at| mailed_at + self.rules.cooldown);
            let lease = item.lease_until.filter(|_| !self.is(Mutant::NoLease));
            if let Some(until) = lease.max(cooled).filter(|until| NOW < *until) {
                return Plan::HeldBack { until };
            }
        }
        if let Some(until) = self.window_opens(&item.mails).filter(|until| NOW < *until) {
            return Plan::TooMany { until };
        }
        let kept = living.filter(|_| !self.is(Mutant::RotateOnResend));
        let expires_at = item.expires_at.filter(|_| kept.is_some() && !self.is(Mutant::ExtendOnResend));
        Plan::Mail(Claim {
            seen: [item.claim, item.nonce],
            mails_before: item.mails.clone(),
            pause_is_over: pause_ends.is_some(),
            new_code: kept.is_none(),
            id: fresh,
            nonce: kept.unwrap_or(fresh),
            pepper,
            cuid,
            expires_at: expires_at.unwrap_or(NOW + self.rules.lifetime),
            lease_until: match self.mutant {
                Some(Mutant::LeaseTooShort) => deadline - 1,
                Some(Mutant::LeaseTooLong) => deadline + 1,
                _ => deadline,
            },
            at: NOW,
            of_yesterday: false,
        })
    }

    /// The condition of `claim_mail`.
    pub fn is_unchanged(&self, item: &Item, claim: &Claim) -> bool {
        let [seen_claim, seen_nonce] = claim.seen;
        (item.claim == seen_claim || self.is(Mutant::ClaimOverOthers))
            && (item.nonce == seen_nonce || self.is(Mutant::ClaimOfUsedCode))
    }

    /// One `UpdateItem` on what was read. `true`: won, also where an earlier attempt of the same call had won.
    pub fn claim_mail(&self, item: &mut Item, claim: &Claim) -> bool {
        if !self.is_unchanged(item, claim) {
            return item.claim == Some(claim.id) && !self.is(Mutant::OwnClaimUnknown);
        }
        item.claim = Some(claim.id);
        item.lease_until = Some(claim.lease_until);
        item.mails.clone_from(&claim.mails_before);
        // Until it is known when the mail went out it counts from the latest moment at which it can.
        item.mails.push(if self.is(Mutant::CountFromTheClaim) { claim.at } else { claim.lease_until });
        item.cuid = Some(claim.cuid);
        if claim.new_code {
            item.nonce = Some(claim.nonce);
            if !self.is(Mutant::NewCodeKeepsPepper) {
                item.pepper = claim.pepper;
            }
            if !self.is(Mutant::NewCodeKeepsTried) {
                item.tried.clear();
            }
            if !self.is(Mutant::NewCodeKeepsMailedAt) {
                item.mailed_at = None;
            }
        }
        if claim.new_code || self.is(Mutant::ExtendOnResend) {
            item.expires_at = Some(claim.expires_at);
        }
        let forgets =
            (self.is(Mutant::NewCodeForgetsFailures) && claim.new_code) || self.is(Mutant::ResendForgetsFailures);
        if (claim.pause_is_over && !self.is(Mutant::PauseNeverEnds)) || forgets {
            item.failures = 0;
        }
        true
    }

    /// One `UpdateItem`, conditional on the claim: the mail is out since `claim.at`.
    pub fn confirm_mail(&self, item: &mut Item, claim: &Claim) {
        if item.claim != Some(claim.id) && !self.is(Mutant::ConfirmForOthers) {
            return;
        }
        item.mailed_at = Some(claim.at);
        item.lease_until = None;
        if !self.is(Mutant::CountFromTheClaim) {
            item.mails.clone_from(&claim.mails_before);
            item.mails.push(claim.at);
        }
    }

    /// One `UpdateItem`, conditional on the claim: a refused mail no longer counts.
    pub fn release_mail(&self, item: &mut Item, claim: &Claim, refused: bool) {
        if item.claim != Some(claim.id) && !self.is(Mutant::ReleaseForOthers) {
            return;
        }
        item.lease_until = None;
        if refused || self.is(Mutant::UnknownIsRefused) {
            item.mails.clone_from(&claim.mails_before);
        }
    }

    /// `Budget::take`, one `UpdateItem`: whether the mail is taken, also where an earlier attempt of the same call took it.
    pub fn take(&self, budget: &mut Budget, claim: &Claim) -> bool {
        // What is left of a day that is over, nobody asks any more.
        if claim.of_yesterday {
            return true;
        }
        if budget.claims.contains(&claim.id) && !self.is(Mutant::TakesWithoutName) {
            return true;
        }
        if budget.taken >= self.rules.budget && !self.is(Mutant::BudgetWithoutLimit) {
            return false;
        }
        budget.taken += 1;
        budget.claims.insert(claim.id);
        true
    }

    /// `Budget::give_back`, one `UpdateItem`, conditional on the claim's name.
    pub fn give_back(&self, budget: &mut Budget, claim: &Claim) {
        if !claim.of_yesterday && (budget.claims.remove(&claim.id) || self.is(Mutant::GivesBackWithoutName)) {
            budget.taken = budget.taken.saturating_sub(1);
        }
    }

    /// The `UpdateItem` of `count_guess`: whether it was written. The item as it then is, is returned either way.
    pub fn count_guess(&self, item: &mut Item, guesser: Guesser) -> bool {
        let own = item.cuid == Some(guesser.cuid) || self.is(Mutant::GuessAtAnyCustomer);
        let known = item.pepper == guesser.pepper || self.is(Mutant::GuessUnderAnyPepper);
        let in_time = item.expires_at.is_some_and(|expires_at| NOW < expires_at);
        let valid = item.nonce.is_some() && own && known && in_time;
        let repeated = item.tried.contains(&guesser.guess) && !self.is(Mutant::RepeatIsCounted);
        let few_tried = item.tried.len() < self.rules.max_tried || self.is(Mutant::TriedWithoutLimit);
        let few_failures = item.failures < self.rules.max_failures || self.is(Mutant::FailuresWithoutLimit);
        let allowed = few_tried && few_failures;
        if valid && allowed && !repeated {
            self.write_guess(item, guesser);
        }
        valid && allowed && !repeated
    }

    /// What that write does.
    pub fn write_guess(&self, item: &mut Item, guesser: Guesser) {
        item.tried.insert(guesser.guess);
        item.failures = self.rules.max_failures.min(item.failures + 1);
        item.last_guess_at = Some(NOW);
    }

    /// The rest of `count_guess`, on what the write returned: the code that the guess may be compared with.
    pub fn comparable(&self, returned: &Item, guesser: Guesser, written: bool) -> Option<Id> {
        let repeated = returned.tried.contains(&guesser.guess) && !self.is(Mutant::RepeatIsNotCompared);
        let cuid = if self.is(Mutant::GuessAtAnyCustomer) { returned.cuid? } else { guesser.cuid };
        returned.comparable_nonce(cuid, guesser.pepper).filter(|_| written || repeated)
    }

    /// The transaction: the code is used up and, in the same moment, the pair is stored.
    pub fn redeem(&self, item: &mut Item, nonce: Id) -> bool {
        let in_time = item.expires_at.is_some_and(|expires_at| NOW < expires_at) || self.is(Mutant::RedeemExpired);
        let good = item.nonce == Some(nonce) && in_time;
        if good {
            self.use_up(item);
        }
        good
    }

    /// What the transaction does to the item.
    pub fn use_up(&self, item: &mut Item) {
        item.nonce = None;
        item.pepper = 0;
        item.tried.clear();
        item.expires_at = None;
        item.mailed_at = item.mailed_at.filter(|_| self.is(Mutant::CooldownOfDeadCodes));
        item.lease_until = None;
        if !self.is(Mutant::SuccessKeepsFailures) {
            item.failures = 0;
        }
    }
}

impl Item {
    /// `State::valid_nonce`.
    pub fn valid_nonce(&self, cuid: Id) -> Option<Id> {
        self.nonce.filter(|_| self.cuid == Some(cuid) && self.expires_at.is_some_and(|expires_at| NOW < expires_at))
    }

    /// `State::comparable_nonce`: a code of another pepper is dead.
    pub fn comparable_nonce(&self, cuid: Id, pepper: u8) -> Option<Id> {
        self.valid_nonce(cuid).filter(|_| self.pepper == pepper)
    }

    /// Lets `ticks` pass.
    pub fn pass(&mut self, ticks: Time) {
        let times = [&mut self.expires_at, &mut self.mailed_at, &mut self.lease_until, &mut self.last_guess_at];
        for time in times.into_iter().flatten().chain(&mut self.mails) {
            *time -= ticks;
        }
    }

    /// Forgets what can make no difference any more, so that states which differ in it alone are one.
    pub fn forget(&mut self, rules: &Rules) {
        self.expires_at = self.expires_at.map(|expires_at| expires_at.max(NOW));
        self.mailed_at = self.mailed_at.filter(|mailed_at| NOW < mailed_at + rules.cooldown);
        self.lease_until = self.lease_until.filter(|until| NOW < *until);
        self.failures = if rules.max_failures == UNLIMITED { 0 } else { self.failures };
        self.last_guess_at = self.last_guess_at.filter(|_| self.failures >= rules.max_failures);
        self.last_guess_at = self.last_guess_at.map(|at| at.max(-rules.pause));
        self.mails.retain(|sent| NOW < sent + rules.window);
        self.mails.sort_unstable();
    }
}
