//! The world around the protocol: invocations in flight, and what may happen to them.

use super::{
    history::History,
    protocol::{Budget, Claim, Guess, Guesser, Id, Item, Time},
};

/// What an invocation is waiting for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// Written beside the next, in either order: whether the budget's answer is there, and what it is.
    ClaimMail(Claim, Option<bool>),
    /// The claim is won, and the budget's answer is awaited.
    TakeBudget(Claim),
    /// Nothing is mailed: what the claim took from the budget is given back.
    GiveBack(Claim),
    /// `SendEmail`, the provider's.
    Mail(Claim),
    ConfirmMail(Claim),
    ReleaseMail(Claim, bool),
    CountGuess(Guesser),
    Redeem {
        nonce: Id,
        cuid: Id,
        /// `ClientRequestToken`: 1 where an earlier attempt with the same one is still on its way.
        token: u8,
        /// Whether an attempt with this token was committed: the next is answered the same and writes nothing.
        committed: bool,
    },
    /// Only [`Mutant::CountAfterCompare`] counts here, after it has compared.
    CountLate(Guesser),
    /// Only [`Mutant::ReadThenDelete`] deletes here, after it has read.
    DeleteRead(Id),
}

/// One call of a function, between two steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Invocation {
    pub call: Call,
    /// When it is killed.
    pub deadline: Time,
    /// An attempt that nobody waits for any more, but which may still arrive.
    pub adrift: bool,
}

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    pub item: Item,
    pub budget: Budget,
    /// Which customer has the address: an erased one's successor has another cuid.
    pub cuid: Id,
    /// In order, so that it does not matter which of two alike came first.
    pub invocations: Vec<Invocation>,
    pub history: History,
}

/// What may happen next. A number is an invocation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `send-passcode`, in a process with this pepper, reads and decides.
    Send(u8),
    /// `auth` reads whom the address belongs to.
    Guess(Guesser),
    /// The call takes effect and the reply arrives.
    Lands(usize),
    /// Of a claim and the budget beside it, the budget comes first, and its reply arrives.
    Takes(usize),
    /// The same, and its reply is lost: the SDK repeats it.
    TakesUnheard(usize),
    /// The call takes effect and its reply is lost: the SDK repeats it, but for a mail.
    ReplyLost(usize),
    /// The provider refuses the mail.
    Refused(usize),
    /// The attempt times out on its way and may arrive later; the SDK repeats the call, but for a mail.
    Delayed(usize),
    /// The process ends, or gives up and answers a `500`.
    Crash(usize),
    /// The customer and the passcode are erased in one transaction, and another customer is created with the address.
    Erase,
    /// A tick.
    Tick,
    /// A new day begins.
    Midnight,
}

impl World {
    /// A name that nothing has.
    pub fn fresh(&self) -> Id {
        self.named().next()
    }

    /// Every nonce and claim that is known somewhere.
    pub fn named(&self) -> Set {
        let mut named = Set::default();
        named.insert_all([self.item.nonce, self.item.claim]);
        for claim in &self.budget.claims {
            named.insert_all([Some(*claim)]);
        }
        for guess in &self.item.tried {
            named.insert_all([code_of(*guess)]);
        }
        for invocation in &self.invocations {
            named.insert_all(invocation.call.named());
        }
        for code in &self.history.codes {
            named.insert_all([Some(code.nonce), code.mail.map(|(_, by, _)| by)]);
            for guess in &code.compared {
                named.insert_all([code_of(*guess)]);
            }
        }
        named
    }

    /// Every nonce whose code may yet be mailed or redeemed.
    pub fn in_use(&self) -> Set {
        let mut in_use = Set::default();
        in_use.insert_all([self.item.nonce]);
        for invocation in &self.invocations {
            in_use.insert_all([invocation.call.nonce()]);
        }
        in_use
    }

    /// A step, with the call that its number stands for.
    pub fn describe(&self, action: &Action) -> String {
        let index = match action {
            Action::Lands(index)
            | Action::Takes(index)
            | Action::TakesUnheard(index)
            | Action::ReplyLost(index)
            | Action::Refused(index)
            | Action::Delayed(index)
            | Action::Crash(index) => *index,
            Action::Send(_) | Action::Guess(_) | Action::Erase | Action::Tick | Action::Midnight => {
                return format!("{action:?}");
            }
        };
        format!("{action:?} {:?}", self.invocations[index].call)
    }

    /// Invocations under way.
    pub fn alive(&self, is_send: bool) -> usize {
        self.invocations.iter().filter(|one| !one.adrift && one.call.is_send() == is_send).count()
    }
}

/// A set of names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set(u64);

impl Set {
    pub fn insert_all<const N: usize>(&mut self, names: [Option<u8>; N]) {
        for name in names.into_iter().flatten() {
            self.0 |= 1 << name;
        }
    }

    pub const fn contains(self, name: u8) -> bool {
        self.0 & 1 << name != 0
    }

    /// Whether these are the first names, from `first` on.
    pub const fn is_dense(self, first: u8) -> bool {
        (self.0 >> first).trailing_ones() == self.0.count_ones()
    }

    /// How many are smaller.
    pub fn rank(self, name: u8) -> u8 {
        let mut rank = 0;
        for smaller in 0..name {
            rank += u8::from(self.contains(smaller));
        }
        rank
    }

    /// A name that is greater than each, and than 0.
    fn next(self) -> u8 {
        (1..64).find(|name| self.0 >> name == 0).unwrap_or(64)
    }
}

/// The nonce whose code is guessed.
pub const fn code_of(guess: Guess) -> Option<Id> {
    match guess {
        Guess::Code(nonce) => Some(nonce),
        Guess::Wrong(_) => None,
    }
}

impl Call {
    /// Whether it is a send's, not a guess's.
    pub const fn is_send(&self) -> bool {
        self.claim().is_some()
    }

    /// The claim that a send is about.
    pub const fn claim(&self) -> Option<&Claim> {
        match self {
            Self::ClaimMail(claim, _)
            | Self::TakeBudget(claim)
            | Self::GiveBack(claim)
            | Self::Mail(claim)
            | Self::ConfirmMail(claim)
            | Self::ReleaseMail(claim, _) => Some(claim),
            Self::CountGuess(_) | Self::Redeem { .. } | Self::CountLate(_) | Self::DeleteRead(_) => None,
        }
    }

    /// The same, to be changed.
    pub const fn claim_mut(&mut self) -> Option<&mut Claim> {
        match self {
            Self::ClaimMail(claim, _)
            | Self::TakeBudget(claim)
            | Self::GiveBack(claim)
            | Self::Mail(claim)
            | Self::ConfirmMail(claim)
            | Self::ReleaseMail(claim, _) => Some(claim),
            Self::CountGuess(_) | Self::Redeem { .. } | Self::CountLate(_) | Self::DeleteRead(_) => None,
        }
    }

    /// The nonce whose code it mails or redeems.
    pub const fn nonce(&self) -> Option<Id> {
        match (self, self.claim()) {
            (_, Some(claim)) => Some(claim.nonce),
            (Self::Redeem { nonce, .. } | Self::DeleteRead(nonce), _) => Some(*nonce),
            _ => None,
        }
    }

    /// Every nonce and claim that the invocation knows.
    fn named(&self) -> [Option<Id>; 4] {
        match (self, self.claim()) {
            (_, Some(claim)) => [claim.seen[0], claim.seen[1], Some(claim.id), Some(claim.nonce)],
            (Self::CountGuess(guesser) | Self::CountLate(guesser), _) => [code_of(guesser.guess), None, None, None],
            (Self::Redeem { nonce, .. } | Self::DeleteRead(nonce), _) => [Some(*nonce), None, None, None],
            _ => [None; 4],
        }
    }
}

impl Invocation {
    /// Lets a tick pass.
    pub fn pass(&mut self) {
        // How long a guess takes makes no difference to anyone, so that it may take for ever.
        self.deadline -= Time::from(self.call.is_send());
        if let Some(claim) = self.call.claim_mut() {
            let times = [&mut claim.expires_at, &mut claim.lease_until, &mut claim.at];
            times.into_iter().chain(&mut claim.mails_before).for_each(|time| *time -= 1);
        }
    }
}
