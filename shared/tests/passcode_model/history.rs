//! What really happened, which no invocation knows: codes issued, mails delivered, guesses compared, redemptions.
//!
//! The invariants speak of this, not of the item, so that a protocol cannot pass by believing its own records.

use std::collections::BTreeSet;

use super::{
    invariants::Name,
    protocol::{Claim, Guess, Guesser, Id, Item, NO_BUDGET, NOW, Rules, Time, UNLIMITED},
    world::Set,
};

/// One code that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    pub nonce: Id,
    pub cuid: Id,
    /// The generation of the pepper that its digits were mailed under.
    pub pepper: u8,
    /// A lifetime after its issue was decided.
    pub expires_at: Time,
    /// How often it was redeemed; two stand for more.
    pub redeemed: u8,
    /// Guesses that were compared with it, or counted, since whoever counts one may compare it.
    pub compared: BTreeSet<Guess>,
    /// Whether the right guess was counted.
    pub right_counted: bool,
    /// The last mail that carried it within a cooldown: when it went out, on whose claim, and whether that is recorded.
    pub mail: Option<(Time, Id, bool)>,
}

impl Code {
    /// Whether it may still be redeemed.
    pub const fn is_good(&self) -> bool {
        self.redeemed == 0 && NOW < self.expires_at
    }
}

/// What happened so far, as far as it can still matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct History {
    /// Codes, in the order of issue.
    pub codes: Vec<Code>,
    /// Guesses counted since the last success or pause, and when the last of them was.
    pub row: u8,
    pub row_at: Time,
    /// Mails that were delivered within a window.
    pub delivered: Vec<Time>,
    /// Mails that were delivered on today's claims.
    pub today: u8,
    /// Whether a mail's outcome is unknown, or an invocation ended in the middle: what it took is spent.
    pub disturbed: bool,
    /// Until when the last claim may keep others silent.
    pub silent_until: Time,
    /// Invariants on single steps that were broken.
    pub broken: BTreeSet<Name>,
}

impl History {
    pub fn code(&self, nonce: Id) -> Option<&Code> {
        self.codes.iter().find(|code| code.nonce == nonce)
    }

    fn code_mut(&mut self, nonce: Id) -> Option<&mut Code> {
        self.codes.iter_mut().find(|code| code.nonce == nonce)
    }

    fn expect(&mut self, kept: bool, name: Name) {
        if !kept {
            self.broken.insert(name);
        }
    }

    /// A claim was written over `before`, while `owner` has the address.
    pub fn claimed(&mut self, rules: &Rules, [before, after]: [&Item; 2], claim: &Claim, owner: Id) {
        use super::invariants::{NOT_REPLACED, STORED_FIRST};
        if let Some(old) = before.nonce.filter(|old| after.nonce != Some(*old)).and_then(|old| self.code(old)) {
            let has_guesses = before.tried.len() < rules.max_tried || old.right_counted;
            // Whoever has another pepper cannot tell the old code.
            let living = old.is_good() && old.cuid == owner && old.pepper == claim.pepper && has_guesses;
            self.expect(!living, NOT_REPLACED);
        }
        self.expect(after.nonce == Some(claim.nonce), STORED_FIRST);
        self.silent_until = claim.lease_until.min(NOW + rules.timeout);
        if before.nonce == Some(claim.nonce) {
            return;
        }
        if let Some(old) = before.nonce.and_then(|old| self.code_mut(old)).filter(|old| old.pepper != claim.pepper) {
            old.right_counted = false;
        }
        if let Some(code) = self.code_mut(claim.nonce) {
            // Stored a second time by a late attempt, after it was erased: whose it was, is gone.
            code.compared.clear();
            code.right_counted = false;
            code.mail = None;
        } else {
            self.codes.push(Code {
                nonce: claim.nonce,
                cuid: claim.cuid,
                pepper: claim.pepper,
                expires_at: claim.expires_at.min(NOW + rules.lifetime),
                redeemed: 0,
                compared: BTreeSet::new(),
                right_counted: false,
                mail: None,
            });
            self.codes.sort_unstable();
        }
    }

    /// A mail went out, while `owner` has the address. `late`: its sender has given up waiting for the provider's
    /// answer; `under_way`: the sender of the last mail with this code is about to record it.
    pub fn delivered(&mut self, rules: &Rules, claim: &Claim, owner: Id, late: bool, under_way: impl Fn(Id) -> bool) {
        use super::invariants::{ONE_MAIL, STORED_FIRST};
        if claim.cuid == owner {
            self.delivered.push(NOW);
        }
        if rules.budget != NO_BUDGET && !claim.of_yesterday {
            self.today = (rules.budget + 1).min(self.today + 1);
        }
        let Some(code) = self.code_mut(claim.nonce) else {
            self.expect(false, STORED_FIRST);
            return;
        };
        let last = code.mail.filter(|(at, ..)| NOW < at + rules.cooldown);
        // Of a sender that met a fault nobody can know whether its mail went out.
        let known = last.is_some_and(|(_, by, recorded)| recorded || under_way(by));
        if !(known && late) {
            code.mail = Some((NOW, claim.id, false));
        }
        self.expect(!known || late, ONE_MAIL);
    }

    /// The mail of this claim was recorded before its sender gave up.
    pub fn confirmed(&mut self, claim: &Claim) {
        if let Some((_, by, recorded)) = self.code_mut(claim.nonce).and_then(|code| code.mail.as_mut()) {
            *recorded |= *by == claim.id;
        }
    }

    /// A guess was counted against the code that the item holds.
    pub fn counted(&mut self, rules: &Rules, item: &Item, guesser: Guesser) {
        let code = item.nonce.and_then(|nonce| self.code(nonce));
        let comparable = code.is_none_or(|code| code.pepper == guesser.pepper);
        self.expect(comparable, super::invariants::OWN_PEPPER);
        let code = item.nonce.and_then(|nonce| self.code_mut(nonce));
        let is_new = code.is_none_or(|code| {
            code.right_counted |= guesser.guess == Guess::Code(code.nonce) && guesser.cuid == code.cuid;
            code.compared.insert(guesser.guess)
        });
        if is_new {
            self.row = (rules.max_failures + 1).min(self.row + 1);
            self.row_at = NOW;
        }
    }

    /// A guess was compared with the code of this nonce.
    pub fn compared(&mut self, nonce: Id, guesser: Guesser) {
        let Some(code) = self.code_mut(nonce) else { return };
        code.compared.insert(guesser.guess);
        let own = code.cuid == guesser.cuid;
        self.expect(own, super::invariants::OWN_CODE);
    }

    /// A pair was issued for the code of this nonce.
    pub fn redeemed(&mut self, nonce: Id) {
        self.row = 0;
        let Some(code) = self.code_mut(nonce) else { return };
        code.redeemed = 2.min(code.redeemed + 1);
        let in_time = NOW < code.expires_at;
        self.expect(in_time, super::invariants::IN_TIME);
    }

    /// The customer is erased: nobody waits for their codes, and the next one begins anew.
    pub fn erased(&mut self) {
        self.codes.iter_mut().for_each(|code| code.right_counted = false);
        self.row = 0;
        self.delivered.clear();
    }

    /// An invocation is told that its write was refused; `truly`: it was not written by an earlier attempt either.
    pub fn told(&mut self, truly: bool) {
        self.expect(truly, super::invariants::OWN_WRITE);
    }

    /// A tick passes.
    pub fn pass(&mut self) {
        for code in &mut self.codes {
            code.expires_at -= 1;
            if let Some((at, ..)) = &mut code.mail {
                *at -= 1;
            }
        }
        self.delivered.iter_mut().for_each(|at| *at -= 1);
        self.row_at -= 1;
        self.silent_until -= 1;
    }

    /// Forgets what no invariant asks any more. `in_use`: nonces whose code may yet be mailed or redeemed;
    /// `claimed`: those that may be stored again.
    pub fn forget(&mut self, rules: &Rules, item: &Item, in_use: Set, claimed: Set) {
        let is_over = self.row >= rules.max_failures && self.row_at <= -rules.pause;
        if is_over || rules.max_failures == UNLIMITED {
            self.row = 0;
        }
        if self.row < rules.max_failures {
            self.row_at = NOW;
        }
        self.delivered.retain(|at| NOW < at + rules.window);
        self.silent_until = item.lease_until.map_or(NOW, |_| self.silent_until.max(NOW));
        for code in &mut self.codes {
            code.expires_at = code.expires_at.max(NOW);
            code.right_counted &= code.is_good();
            code.mail = code.mail.filter(|(at, ..)| NOW < at + rules.cooldown);
            if item.nonce != Some(code.nonce) {
                // Nothing is compared with it any more, and no mail of it keeps others from being sent.
                code.compared.clear();
                code.mail = None;
                let matters = code.right_counted || claimed.contains(code.nonce);
                code.expires_at = if matters { code.expires_at } else { NOW };
            }
        }
        self.codes.retain(|code| in_use.contains(code.nonce) || code.right_counted);
    }
}
