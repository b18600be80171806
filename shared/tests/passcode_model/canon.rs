//! One form for states that differ in names alone: of nonces and claims, and of the digits of wrong guesses.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    mutants::Mutant,
    protocol::{Claim, Guess, Id, Item, NOW, Protocol, Time},
    world::{Call, Set, World, code_of},
};

/// What is worth guessing: the right code, each guess that somebody made, and one that nobody made.
pub fn guesses(world: &World, most: u8) -> BTreeSet<Guess> {
    let tried = world.item.tried.iter().copied();
    let under_way = world.invocations.iter().filter_map(|one| guess_of(&one.call));
    let mut guesses: BTreeSet<_> = tried.chain(under_way).collect();
    guesses.extend((0..most).map(Guess::Wrong).find(|wrong| !guesses.contains(wrong)));
    guesses.extend(world.item.nonce.map(Guess::Code));
    guesses
}

fn guess_of(call: &Call) -> Option<Guess> {
    match call {
        Call::CountGuess(guesser) | Call::CountLate(guesser) => Some(guesser.guess),
        _ => None,
    }
}

/// Brings the world into that form.
pub fn canonical(world: &mut World, protocol: &Protocol) {
    let rules = &protocol.rules;
    world.item.forget(rules);
    let under_way = |id| world.invocations.iter().any(|one| one.call.claim().is_some_and(|claim| claim.id == id));
    world.budget.claims.retain(|id| under_way(*id));
    for invocation in &mut world.invocations {
        forget(&mut invocation.call, protocol, &world.item);
    }
    if !world.invocations.iter().any(|one| one.adrift) {
        for invocation in &mut world.invocations {
            if let Call::Redeem { token, .. } = &mut invocation.call {
                *token = 0;
            }
        }
    }
    let in_use = world.in_use();
    let mut claimed = Set::default();
    for invocation in &world.invocations {
        if let Call::ClaimMail(claim, _) = &invocation.call {
            claimed.insert_all([Some(claim.nonce)]);
        }
    }
    world.history.forget(rules, &world.item, in_use, claimed);
    rename_ids(world);
    rename_wrong(world);
    world.invocations.sort_unstable();
}

/// Forgets what the invocation does not need any more.
fn forget(call: &mut Call, protocol: &Protocol, item: &Item) {
    match call {
        Call::ClaimMail(claim, _) => {
            claim.expires_at = claim.expires_at.max(NOW);
            claim.mails_before.retain(|sent| NOW < sent + protocol.rules.window);
            let lost = item.claim != Some(claim.id) && !protocol.is_unchanged(item, claim);
            // A claim that was read and overwritten does not come back, so that this one is never written but decided
            // anew. The absence of a claim does come back, when the item is deleted.
            if lost && claim.seen[0].is_some() {
                let (id, lease_until) = (claim.id, claim.lease_until);
                let Claim { pepper, cuid, of_yesterday, .. } = *claim;
                let seen = [Some(id), None];
                *claim = Claim { seen, id, nonce: id, pepper, cuid, lease_until, of_yesterday, ..Claim::default() };
            }
        }
        Call::Mail(_) if protocol.is(Mutant::MailBeforeClaim) => {}
        Call::Mail(claim) | Call::TakeBudget(claim) => forget_written(claim, NOW, protocol),
        Call::GiveBack(claim) => {
            forget_written(claim, NOW, protocol);
            claim.mails_before.clear();
        }
        Call::ConfirmMail(claim) => {
            forget_written(claim, claim.at, protocol);
            if item.claim != Some(claim.id) && !protocol.is(Mutant::ConfirmForOthers) {
                claim.mails_before.clear();
            }
        }
        Call::ReleaseMail(claim, refused) => {
            forget_written(claim, NOW, protocol);
            let is_void = item.claim != Some(claim.id) && !protocol.is(Mutant::ReleaseForOthers);
            if is_void || !(*refused || protocol.is(Mutant::UnknownIsRefused)) {
                claim.mails_before.clear();
            }
        }
        Call::CountGuess(_) | Call::Redeem { .. } | Call::CountLate(_) | Call::DeleteRead(_) => {}
    }
}

/// Of a claim that is written there is still asked whose it is, what it mails and which mails were before it.
fn forget_written(claim: &mut Claim, at: Time, protocol: &Protocol) {
    let mut mails_before = std::mem::take(&mut claim.mails_before);
    mails_before.retain(|sent| NOW < sent + protocol.rules.window);
    let Claim { id, nonce, pepper, cuid, of_yesterday, .. } = *claim;
    *claim = Claim { mails_before, id, nonce, pepper, cuid, at, of_yesterday, ..Claim::default() };
}

/// Numbers nonces and claims by their order, from 1.
fn rename_ids(world: &mut World) {
    let named = world.named();
    if named.is_dense(1) {
        return;
    }
    each_id(world, |id| *id = 1 + named.rank(*id));
    each_guess(world, |guess| code_of(*guess).map_or(*guess, |nonce| Guess::Code(1 + named.rank(nonce))));
}

fn each_id(world: &mut World, mut rename: impl FnMut(&mut Id)) {
    world.item.nonce.iter_mut().chain(&mut world.item.claim).for_each(&mut rename);
    let claims = std::mem::take(&mut world.budget.claims).into_iter();
    world.budget.claims = claims
        .map(|mut claim| {
            rename(&mut claim);
            claim
        })
        .collect();
    for invocation in &mut world.invocations {
        if let Some(claim) = invocation.call.claim_mut() {
            claim.seen.iter_mut().flatten().for_each(&mut rename);
            rename(&mut claim.id);
            rename(&mut claim.nonce);
        }
        if let Call::Redeem { nonce, .. } | Call::DeleteRead(nonce) = &mut invocation.call {
            rename(nonce);
        }
    }
    for code in &mut world.history.codes {
        rename(&mut code.nonce);
        if let Some((_, by, _)) = &mut code.mail {
            rename(by);
        }
    }
}

fn each_guess(world: &mut World, rename: impl Fn(&Guess) -> Guess) {
    world.item.tried = world.item.tried.iter().map(&rename).collect();
    for invocation in &mut world.invocations {
        if let Call::CountGuess(guesser) | Call::CountLate(guesser) = &mut invocation.call {
            guesser.guess = rename(&guesser.guess);
        }
    }
    for code in &mut world.history.codes {
        code.compared = code.compared.iter().map(&rename).collect();
    }
}

/// Numbers wrong guesses by where they occur.
fn rename_wrong(world: &mut World) {
    let mut wrong = Set::default();
    for guess in &world.item.tried {
        wrong.insert_all([wrong_of(*guess)]);
    }
    for guess in world.history.codes.iter().flat_map(|code| &code.compared) {
        wrong.insert_all([wrong_of(*guess)]);
    }
    for invocation in &world.invocations {
        wrong.insert_all([guess_of(&invocation.call).and_then(wrong_of)]);
    }
    if !wrong.contains(1) && wrong.is_dense(0) {
        return;
    }
    let mut order: Vec<u8> = (0..64).filter(|number| wrong.contains(*number)).collect();
    order.sort_by_cached_key(|number| Reverse(places(world, Guess::Wrong(*number))));
    if order.iter().copied().zip(0..).all(|(number, place)| number == place) {
        return;
    }
    let name = |number: u8| (0..).zip(&order).find(|(_, other)| **other == number).map_or(number, |(place, _)| place);
    each_guess(world, |guess| wrong_of(*guess).map_or(*guess, |number| Guess::Wrong(name(number))));
}

const fn wrong_of(guess: Guess) -> Option<u8> {
    match guess {
        Guess::Wrong(number) => Some(number),
        Guess::Code(_) => None,
    }
}

/// Where a wrong guess occurs: one digit a place.
fn places(world: &World, guess: Guess) -> Vec<(u8, i8)> {
    let mut places = Vec::new();
    places.push((u8::from(world.item.tried.contains(&guess)), 0));
    places.extend(world.history.codes.iter().map(|code| (u8::from(code.compared.contains(&guess)), 0)));
    let mut calls: Vec<_> = world
        .invocations
        .iter()
        .filter(|one| guess_of(&one.call) == Some(guess))
        .map(|one| match &one.call {
            Call::CountGuess(guesser) => {
                (1 + guesser.pepper + 4 * guesser.cuid + 16 * u8::from(one.adrift), one.deadline)
            }
            _ => (255, one.deadline),
        })
        .collect();
    calls.sort_unstable();
    places.extend(calls);
    places
}
