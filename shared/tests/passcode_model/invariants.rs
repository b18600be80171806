//! What must hold in every state, by name.

use std::collections::BTreeSet;

use stateright::Property;

use super::{
    protocol::{Guess, Guesser, Item, NOW, Plan, Protocol, Sender},
    steps::Model,
    world::World,
};

/// The name of an invariant.
pub type Name = &'static str;

pub const ONE_REDEMPTION: Name = "a code is redeemed at most once";
pub const FEW_COMPARED: Name = "a code is compared with few distinct guesses";
pub const FEW_IN_A_ROW: Name = "guesses in a row are few, but for a success or the pause between them";
pub const RIGHT_STAYS: Name = "a right guess that was counted stays good until its code or its pepper is used up";
pub const GOES_ON: Name = "whatever happened, the customer can go on";
pub const MAIL_CAP: Name = "mails within a window are few";
pub const BUDGET: Name = "mails of a day are few";
pub const SPENT_BY_MAILS: Name = "a budget is spent by mails, and by nothing else where nothing went wrong";
pub const ONE_MAIL: Name = "of parallel sends one mails, and none within the cooldown of a recorded mail";
pub const SILENCE_HAS_CAUSE: Name = "mails are held back by a mail of the living code or, for a timeout, by a claim";
pub const PAUSE_HAS_CAUSE: Name = "a pause follows many guesses in a row";
pub const NOT_REPLACED: Name = "a living code is not replaced";
pub const STORED_FIRST: Name = "a mail carries the code that its claim has stored";
pub const IN_TIME: Name = "no code is redeemed later than a lifetime after its issue";
pub const OWN_WRITE: Name = "an invocation that has written is not told that it has not";
pub const OWN_PEPPER: Name = "a guess is counted only against a code of the pepper that it is compared under";
pub const OWN_CODE: Name = "a guess is compared with the customer's own code";

/// Each of them, and what they speak of.
pub fn properties() -> Vec<Property<Model>> {
    promises().into_iter().chain(speak_of()).collect()
}

/// Each of them.
pub fn promises() -> [Property<Model>; 17] {
    [
        Property::<Model>::always(ONE_REDEMPTION, |_, world| world.history.codes.iter().all(|code| code.redeemed <= 1)),
        Property::<Model>::always(FEW_COMPARED, |model, world| {
            world.history.codes.iter().all(|code| code.compared.len() <= model.protocol.rules.max_tried)
        }),
        Property::<Model>::always(FEW_IN_A_ROW, |model, world| world.history.row <= model.protocol.rules.max_failures),
        Property::<Model>::always(RIGHT_STAYS, right_stays),
        Property::<Model>::always(GOES_ON, |model, world| {
            (0..model.bounds.peppers).all(|pepper| goes_on(&model.protocol, world, pepper))
        }),
        Property::<Model>::always(MAIL_CAP, |model, world| {
            let rules = &model.protocol.rules;
            world.history.delivered.iter().filter(|at| NOW < **at + rules.window).count() <= rules.max_mails
        }),
        Property::<Model>::always(BUDGET, |model, world| world.history.today <= model.protocol.rules.budget),
        Property::<Model>::always(SPENT_BY_MAILS, |_, world| {
            let idle = world.invocations.is_empty() && !world.history.disturbed;
            !idle || world.budget.taken == world.history.today
        }),
        Property::<Model>::always(ONE_MAIL, |_, world| !world.history.broken.contains(ONE_MAIL)),
        Property::<Model>::always(SILENCE_HAS_CAUSE, |model, world| {
            (0..model.bounds.peppers).all(|pepper| silence_has_cause(&model.protocol, world, pepper))
        }),
        Property::<Model>::always(PAUSE_HAS_CAUSE, |model, world| pause_has_cause(&model.protocol, world)),
        Property::<Model>::always(NOT_REPLACED, |_, world| !world.history.broken.contains(NOT_REPLACED)),
        Property::<Model>::always(STORED_FIRST, |_, world| !world.history.broken.contains(STORED_FIRST)),
        Property::<Model>::always(IN_TIME, |_, world| !world.history.broken.contains(IN_TIME)),
        Property::<Model>::always(OWN_WRITE, |_, world| !world.history.broken.contains(OWN_WRITE)),
        Property::<Model>::always(OWN_PEPPER, |_, world| !world.history.broken.contains(OWN_PEPPER)),
        Property::<Model>::always(OWN_CODE, |_, world| !world.history.broken.contains(OWN_CODE)),
    ]
}

/// What they speak of, which has to happen somewhere, or they say nothing.
fn speak_of() -> [Property<Model>; 7] {
    [
        Property::<Model>::sometimes("a code is redeemed", |_, world| {
            world.history.codes.iter().any(|code| code.redeemed == 1)
        }),
        Property::<Model>::sometimes("a code is exhausted", |model, world| {
            world.item.tried.len() == model.protocol.rules.max_tried
        }),
        Property::<Model>::sometimes("a right guess waits for its repetition", |_, world| {
            world.invocations.is_empty() && world.history.codes.iter().any(|code| code.right_counted)
        }),
        Property::<Model>::sometimes("a mail is held back", |model, world| {
            matches!(
                model.protocol.plan_send(&world.item, Sender { cuid: world.cuid, pepper: 0 }, 0, NOW),
                Plan::HeldBack { .. }
            )
        }),
        Property::<Model>::sometimes("a window is full", |model, world| {
            matches!(
                model.protocol.plan_send(&world.item, Sender { cuid: world.cuid, pepper: 0 }, 0, NOW),
                Plan::TooMany { .. }
            )
        }),
        Property::<Model>::sometimes("a budget is spent", |model, world| {
            world.invocations.is_empty() && world.budget.taken == model.protocol.rules.budget
        }),
        Property::<Model>::sometimes("guesses are paused", |model, world| {
            matches!(
                model.protocol.plan_send(&world.item, Sender { cuid: world.cuid, pepper: 0 }, 0, NOW),
                Plan::Paused { .. }
            )
        }),
    ]
}

/// Their names.
pub fn happenings() -> BTreeSet<Name> {
    speak_of().into_iter().map(|property| property.name).collect()
}

/// Whoever repeats a right guess that was counted redeems the code, where its pepper is known.
fn right_stays(Model { protocol, .. }: &Model, world: &World) -> bool {
    let waiting = world.history.codes.iter().filter(|code| code.right_counted && code.is_good());
    waiting.filter(|code| code.cuid == world.cuid).all(|code| {
        let guesser = Guesser { guess: Guess::Code(code.nonce), pepper: code.pepper, cuid: world.cuid };
        guess(protocol, &mut world.item.clone(), guesser)
    })
}

fn guess(protocol: &Protocol, item: &mut Item, guesser: Guesser) -> bool {
    let written = protocol.count_guess(item, guesser);
    let nonce = protocol.comparable(item, guesser, written);
    nonce.is_some_and(|nonce| guesser.guess == Guess::Code(nonce) && protocol.redeem(item, nonce))
}

/// If every invocation crashes now, a customer who does as told gets a mail after a few waits, and its code is good.
fn goes_on(protocol: &Protocol, world: &World, pepper: u8) -> bool {
    let mut item = world.item.clone();
    let (fresh, sender) = (world.fresh(), Sender { cuid: world.cuid, pepper });
    for _ in 0..4 {
        match protocol.plan_send(&item, sender, fresh, NOW + protocol.rules.timeout) {
            Plan::Mail(claim) => {
                let guesser = Guesser { guess: Guess::Code(claim.nonce), pepper, cuid: world.cuid };
                return protocol.claim_mail(&mut item, &claim) && guess(protocol, &mut item, guesser);
            }
            Plan::HeldBack { until } | Plan::Paused { until } | Plan::TooMany { until } => item.pass(until),
        }
    }
    false
}

fn silence_has_cause(protocol: &Protocol, world: &World, pepper: u8) -> bool {
    let sender = Sender { cuid: world.cuid, pepper };
    let Plan::HeldBack { until } = protocol.plan_send(&world.item, sender, 0, NOW) else {
        return true;
    };
    let code = world.item.nonce.and_then(|nonce| world.history.code(nonce));
    let mailed = code.filter(|code| code.cuid == world.cuid && code.pepper == pepper).and_then(|code| code.mail);
    until <= world.history.silent_until
        || mailed.is_some_and(|(mailed_at, ..)| until <= mailed_at + protocol.rules.cooldown)
}

fn pause_has_cause(protocol: &Protocol, world: &World) -> bool {
    let rules = &protocol.rules;
    match protocol.plan_send(&world.item, Sender { cuid: world.cuid, pepper: 0 }, 0, NOW) {
        Plan::Paused { until } => {
            world.history.row >= rules.max_failures && until <= world.history.row_at + rules.pause
        }
        _ => true,
    }
}
