//! The steps of the world: calls take effect, replies arrive or not, processes crash, time passes.

use super::{
    invariants,
    mutants::Mutant,
    protocol::{Budget, Claim, Guess, Guesser, Id, Item, NO_BUDGET, NOW, Plan, Protocol, Sender, Time},
    world::{Action, Call, Invocation, World},
};

/// How much happens at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Sends at a time.
    pub sends: usize,
    /// Guesses at a time.
    pub guesses: usize,
    /// Attempts of sends, and of guesses, adrift at a time.
    pub adrift: [usize; 2],
    /// Different wrong guesses.
    pub wrong: u8,
    /// Peppers: two while a deployment replaces one, with processes of both.
    pub peppers: u8,
    /// Whether the customer may be erased.
    pub erasure: bool,
}

/// A protocol in a world.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    pub protocol: Protocol,
    pub bounds: Bounds,
}

/// What the caller of a call learns from its reply.
enum Reply {
    /// Whether the claim was won; if not, the item as it is.
    Claimed(bool, Item),
    /// Whether the budget had a mail left.
    Taken(bool),
    /// Whether the guess was written, and the item as it is.
    Counted(bool, Item),
    /// Whether the code was used up.
    Redeemed(bool),
    Nothing,
}

impl Model {
    /// The call's effect.
    fn land(&self, world: &mut World, call: &mut Call, adrift: bool) -> Reply {
        let World { item, budget, history, invocations, cuid } = world;
        let (protocol, rules) = (&self.protocol, &self.protocol.rules);
        match call {
            Call::TakeBudget(claim) => return Reply::Taken(protocol.take(budget, claim)),
            Call::GiveBack(claim) => protocol.give_back(budget, claim),
            Call::ClaimMail(claim, _) => {
                let before = item.clone();
                let won = protocol.claim_mail(item, claim);
                if won && *item != before {
                    history.claimed(rules, [&before, item], claim, *cuid);
                }
                return Reply::Claimed(won, item.clone());
            }
            Call::Mail(claim) => {
                let confirms = |other: &Invocation, by| matches!(&other.call, Call::ConfirmMail(its) if its.id == by);
                let under_way = |by| invocations.iter().any(|other| !other.adrift && confirms(other, by));
                history.delivered(rules, claim, *cuid, adrift, under_way);
            }
            Call::ConfirmMail(claim) => {
                if item.claim == Some(claim.id) && !adrift {
                    history.confirmed(claim);
                }
                protocol.confirm_mail(item, claim);
            }
            Call::ReleaseMail(claim, refused) => protocol.release_mail(item, claim, *refused),
            Call::CountGuess(guesser) if protocol.is(Mutant::CountAfterCompare) => {
                let written = protocol.count_guess(&mut item.clone(), *guesser);
                return Reply::Counted(written, item.clone());
            }
            Call::CountGuess(guesser) => {
                let written = protocol.count_guess(item, *guesser);
                if written {
                    history.counted(rules, item, *guesser);
                }
                return Reply::Counted(written, item.clone());
            }
            Call::CountLate(guesser) => {
                protocol.write_guess(item, *guesser);
                history.counted(rules, item, *guesser);
            }
            Call::Redeem { committed: true, .. } if !protocol.is(Mutant::NoToken) => return Reply::Redeemed(true),
            Call::Redeem { nonce, .. } if protocol.is(Mutant::ReadThenDelete) => {
                return Reply::Redeemed(protocol.redeem(&mut item.clone(), *nonce));
            }
            Call::Redeem { nonce, committed, .. } => {
                let redeemed = protocol.redeem(item, *nonce);
                if redeemed {
                    history.redeemed(*nonce);
                }
                *committed |= redeemed;
                return Reply::Redeemed(redeemed);
            }
            Call::DeleteRead(nonce) => {
                protocol.use_up(item);
                history.redeemed(*nonce);
            }
        }
        Reply::Nothing
    }

    /// What the invocation does on the reply: its next call, if there is one.
    fn hear(&self, world: &mut World, call: Call, reply: Reply, deadline: Time) -> Option<Call> {
        let mails_first = self.protocol.is(Mutant::MailBeforeClaim);
        match (call, reply) {
            (Call::ClaimMail(claim, _), Reply::Claimed(true, _)) if mails_first => Some(Call::ConfirmMail(claim)),
            (Call::ClaimMail(claim, None), Reply::Claimed(true, _)) => Some(Call::TakeBudget(claim)),
            (Call::ClaimMail(claim, Some(taken)), Reply::Claimed(true, _))
            | (Call::TakeBudget(claim), Reply::Taken(taken)) => Some(self.on_taken(claim, taken)),
            (Call::ReleaseMail(claim, true), _)
                if self.has_budget() && !self.protocol.is(Mutant::RefusedKeepsBudget) =>
            {
                Some(Call::GiveBack(claim))
            }
            // The call of the budget is beside: where it has not been answered yet, it is once the claim is.
            (Call::ClaimMail(claim, taken), Reply::Claimed(false, newer)) if self.has_budget() => {
                world.history.told(newer.claim != Some(claim.id));
                if taken.is_none() {
                    self.protocol.take(&mut world.budget, &claim);
                }
                // A send that decides anew is like another that begins now.
                (!self.protocol.is(Mutant::LoserKeepsBudget)).then_some(Call::GiveBack(claim))
            }
            (Call::ClaimMail(claim, _), Reply::Claimed(false, newer)) => {
                world.history.told(newer.claim != Some(claim.id));
                // The item has changed hands: one of the two customers is erased, and only a new read tells which.
                if newer.cuid != Some(claim.cuid) && !self.protocol.is(Mutant::DecideForErased) {
                    return None;
                }
                let sender = Sender { cuid: claim.cuid, pepper: claim.pepper };
                self.decide(&newer, sender, world.fresh(), deadline)
            }
            (Call::Mail(claim), _) if mails_first => Some(Call::ClaimMail(claim, Some(true))),
            (Call::Mail(claim), _) => Some(Call::ConfirmMail(Claim { at: NOW, ..claim })),
            (Call::CountGuess(guesser), Reply::Counted(written, returned)) => {
                let nonce = self.protocol.comparable(&returned, guesser, written)?;
                world.history.compared(nonce, guesser);
                if guesser.guess == Guess::Code(nonce) {
                    let cuid = guesser.cuid;
                    return Some(Call::Redeem { nonce, cuid, token: 0, committed: false });
                }
                self.protocol.is(Mutant::CountAfterCompare).then_some(Call::CountLate(guesser))
            }
            (Call::Redeem { nonce, .. }, Reply::Redeemed(true)) => {
                self.protocol.is(Mutant::ReadThenDelete).then_some(Call::DeleteRead(nonce))
            }
            (Call::Redeem { committed, .. }, Reply::Redeemed(false)) => {
                world.history.told(!committed);
                None
            }
            _ => None,
        }
    }

    /// Whether the view is about a budget.
    const fn has_budget(&self) -> bool {
        self.protocol.rules.budget != NO_BUDGET
    }

    /// What follows when the claim is won and the budget has answered.
    fn on_taken(&self, claim: Claim, taken: bool) -> Call {
        if taken || self.protocol.is(Mutant::MailsWithoutBudget) {
            Call::Mail(claim)
        } else {
            Call::ReleaseMail(claim, true)
        }
    }

    /// `plan_send` on what was read, and the call that follows.
    fn decide(&self, read: &Item, sender: Sender, fresh: Id, deadline: Time) -> Option<Call> {
        match self.protocol.plan_send(read, sender, fresh, deadline) {
            Plan::Mail(claim) if self.protocol.is(Mutant::MailBeforeClaim) => Some(Call::Mail(claim)),
            // Without a budget it is as if there were always a mail left.
            Plan::Mail(claim) => Some(Call::ClaimMail(claim, (!self.has_budget()).then_some(true))),
            _ => None,
        }
    }

    fn start(&self, world: &mut World, call: Option<Call>) -> Option<()> {
        let deadline = NOW + self.protocol.rules.timeout;
        world.invocations.push(Invocation { call: call?, deadline, adrift: false });
        Some(())
    }

    fn lands(&self, world: &mut World, index: usize) {
        let Invocation { mut call, deadline, adrift } = world.invocations.remove(index);
        let reply = self.land(world, &mut call, adrift);
        if adrift {
            tell_twin(world, &call);
        } else if let Some(call) = self.hear(world, call, reply, deadline) {
            world.invocations.push(Invocation { call, deadline, adrift });
        }
    }

    fn reply_lost(&self, world: &mut World, index: usize) {
        let mut invocation = world.invocations.remove(index);
        self.land(world, &mut invocation.call, false);
        if let Call::Mail(claim) = invocation.call {
            invocation.call = Call::ReleaseMail(claim, false);
        }
        world.invocations.push(invocation);
    }

    /// The budget beside a claim is asked first; answered or not.
    fn takes(&self, world: &mut World, index: usize, heard: bool) {
        let World { invocations, budget, .. } = world;
        if let Call::ClaimMail(claim, answer) = &mut invocations[index].call {
            let taken = self.protocol.take(budget, claim);
            *answer = heard.then_some(taken);
        }
    }

    fn midnight(world: &mut World) {
        world.budget = Budget::default();
        world.history.today = 0;
        world.history.disturbed = false;
        for invocation in &mut world.invocations {
            if let Some(claim) = invocation.call.claim_mut() {
                claim.of_yesterday = true;
            }
        }
    }

    fn delayed(world: &mut World, index: usize) {
        let mut waiting = world.invocations.remove(index);
        if let Call::Redeem { token, .. } = &mut waiting.call {
            *token = 1;
        }
        world.invocations.push(Invocation { adrift: true, ..waiting.clone() });
        if let Call::Mail(claim) = waiting.call {
            waiting.call = Call::ReleaseMail(claim, false);
        }
        world.invocations.push(waiting);
    }

    fn tick(&self, world: &mut World) {
        world.item.pass(1);
        world.history.pass();
        for invocation in &mut world.invocations {
            invocation.pass();
        }
        // Who is killed at the timeout leaves nothing behind, but an attempt adrift may outlive it by a tick; not so a
        // mail, since nothing can be said of one that the provider takes its time with.
        let before = world.invocations.len();
        world.invocations.retain(|one| {
            let outlives = one.adrift && !matches!(one.call, Call::Mail(_));
            NOW < one.deadline + Time::from(outlives)
        });
        world.history.disturbed |= self.has_budget() && world.invocations.len() < before;
    }

    /// The world after a step, as it comes.
    pub fn after(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.step(&mut next, action)?;
        Some(next)
    }

    fn step(&self, world: &mut World, action: Action) -> Option<()> {
        let deadline = NOW + self.protocol.rules.timeout;
        match action {
            Action::Send(pepper) => {
                let sender = Sender { cuid: world.cuid, pepper };
                let call = self.decide(&world.item, sender, world.fresh(), deadline);
                self.start(world, call)?;
            }
            Action::Guess(guesser) => self.start(world, Some(Call::CountGuess(guesser)))?,
            Action::Lands(index) => self.lands(world, index),
            Action::ReplyLost(index) => self.reply_lost(world, index),
            Action::Refused(index) => {
                let invocation = &mut world.invocations[index];
                if let Call::Mail(claim) = &invocation.call {
                    invocation.call = Call::ReleaseMail(claim.clone(), true);
                }
            }
            Action::Delayed(index) => Self::delayed(world, index),
            Action::Takes(index) => self.takes(world, index, true),
            Action::TakesUnheard(index) => self.takes(world, index, false),
            Action::Midnight => Self::midnight(world),
            Action::Crash(index) => {
                world.history.disturbed |= self.has_budget() && world.invocations[index].call.is_send();
                world.invocations.remove(index);
            }
            Action::Erase => {
                world.cuid += 1;
                world.item = Item::default();
                world.history.erased();
            }
            Action::Tick => self.tick(world),
        }
        Some(())
    }
}

/// An attempt that was given up has committed: a later one with its token is told so.
fn tell_twin(world: &mut World, landed: &Call) {
    let Call::Redeem { token: 1, committed: true, .. } = landed else { return };
    for other in &mut world.invocations {
        if let Call::Redeem { token: 1, committed, .. } = &mut other.call {
            *committed = true;
        }
    }
}

impl stateright::Model for Model {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if !world.history.broken.is_empty() {
            return;
        }
        if world.alive(true) < self.bounds.sends {
            actions.extend((0..self.bounds.peppers).map(Action::Send));
        }
        if world.alive(false) < self.bounds.guesses {
            let guesses = super::canon::guesses(world, self.bounds.wrong);
            actions.extend(guesses.into_iter().flat_map(|guess| {
                (0..self.bounds.peppers).map(move |pepper| Action::Guess(Guesser { guess, pepper, cuid: world.cuid }))
            }));
        }
        let adrift =
            |is_send| world.invocations.iter().filter(|one| one.adrift && one.call.is_send() == is_send).count();
        for (index, invocation) in world.invocations.iter().enumerate() {
            // Of two that are alike, one is enough.
            if index > 0 && world.invocations[index - 1] == *invocation {
                continue;
            }
            actions.push(Action::Lands(index));
            if invocation.adrift {
                continue;
            }
            actions.extend([Action::ReplyLost(index), Action::Crash(index)]);
            if matches!(invocation.call, Call::ClaimMail(_, None)) {
                actions.extend([Action::Takes(index), Action::TakesUnheard(index)]);
            }
            if matches!(invocation.call, Call::Mail(_)) {
                actions.push(Action::Refused(index));
            }
            let is_send = invocation.call.is_send();
            if adrift(is_send) < self.bounds.adrift[usize::from(!is_send)] {
                actions.push(Action::Delayed(index));
            }
        }
        if self.bounds.erasure && world.cuid == 0 {
            actions.push(Action::Erase);
        }
        if self.has_budget() {
            actions.push(Action::Midnight);
        }
        actions.push(Action::Tick);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = self.after(world, action)?;
        super::canon::canonical(&mut next, &self.protocol);
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        invariants::properties()
    }
}
