//! The passcode protocol, searched through: every interleaving of sends and guesses, with a crash, a lost reply, a late
//! attempt, a refused mail or a tick between any two calls.
//!
//! `docs/passcode-model.md` has the correspondence with the code, call by call, and what the searches found.

mod canon;
mod history;
mod invariants;
mod mutants;
mod protocol;
mod steps;
mod views;
mod world;

use std::collections::{BTreeSet, VecDeque};

use invariants::Name;
use mutants::Mutant;
use protocol::Protocol;
use stateright::{Checker, Expectation, HasDiscoveries, Model as _, Path};
use steps::Model;
use views::View;
use world::{Action, World};

/// What a search found.
struct Found {
    /// States, each once.
    states: usize,
    /// Whether invariants were broken, and how.
    broken: Vec<(Name, Path<World, Action>)>,
    /// What happened of all that can happen.
    happened: BTreeSet<Name>,
}

/// Searches until the view is exhausted or an invariant is broken; with `most_steps`, no further than that.
fn search(view: &View, mutant: Option<Mutant>, most_steps: Option<usize>) -> Found {
    let model = Model { protocol: Protocol { rules: view.rules, mutant }, bounds: view.bounds };
    let mut builder = model.checker().threads(view.threads).finish_when(HasDiscoveries::AnyFailures);
    if let Some(steps) = most_steps {
        // A state's depth counts from one, and the last depth is not looked at.
        builder = builder.target_max_depth(steps + 2);
    }
    let checker = builder.spawn_bfs().join();
    let is_invariant = |name| checker.model().property(name).expectation == Expectation::Always;
    let (broken, happened): (Vec<_>, Vec<_>) =
        checker.discoveries().into_iter().partition(|(name, _)| is_invariant(name));
    let happened = happened.into_iter().map(|(name, _)| name).collect();
    Found { states: checker.unique_state_count(), broken, happened }
}

/// The shortest way to break something, a step a line; nothing where nothing is broken.
fn counterexample(view: &View, mutant: Option<Mutant>) -> Option<String> {
    let search = |most_steps| {
        let (name, path) = search(view, mutant, most_steps).broken.into_iter().next()?;
        Some((name, path.into_vec()))
    };
    let (mut name, mut steps) = search(None)?;
    // The checker keeps the last of the ways that it finds within a block of states.
    while let Some(shorter) = search(Some(steps.len() - 2)) {
        (name, steps) = shorter;
    }
    let steps = steps.iter().filter_map(|(world, action)| Some(format!("  {}\n", world.describe(action.as_ref()?))));
    Some(format!("{}, {mutant:?}: not so: {name}\n{}", view.name, steps.collect::<String>()))
}

/// Searches views through.
fn exhaust(views: &[View]) {
    for view in views {
        let found = search(view, None, None);
        let counterexample = found.broken.first().and_then(|_| counterexample(view, None));
        assert!(found.broken.is_empty(), "{}", counterexample.unwrap_or_default());
        eprintln!("{}: {} states", view.name, found.states);
    }
}

#[test]
fn the_protocol_keeps_its_promises() {
    exhaust(&views::NARROW);
}

/// `cargo test -p shared --test passcode_model -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn the_protocol_keeps_its_promises_in_wider_views() {
    exhaust(&views::WIDE);
}

#[test]
fn every_mutant_breaks_the_promise_that_it_must() {
    for (mutant, promise, view) in Mutant::CAUGHT {
        let found = search(&view, Some(mutant), None);
        let broken: Vec<_> = found.broken.iter().map(|(name, _)| *name).collect();
        assert!(broken.contains(&promise), "{mutant:?} breaks {broken:?}");
    }
}

/// How many states of each view are compared with what they are taken for.
const RAW_STATES: usize = 1_000;

/// The search takes states for one that differ in what is forgotten or in names; they must go on alike.
#[test]
fn states_taken_for_one_go_on_alike() {
    for view in views::NARROW {
        let model = Model { protocol: Protocol { rules: view.rules, mutant: None }, bounds: view.bounds };
        let steps = |world: &World| {
            let mut actions = Vec::new();
            model.actions(world, &mut actions);
            actions.into_iter().filter_map(|action| model.after(world, action)).collect::<Vec<_>>()
        };
        let canonical = |mut world: World| {
            canon::canonical(&mut world, &model.protocol);
            world
        };
        let (mut seen, mut next) = (BTreeSet::new(), VecDeque::from(model.init_states()));
        while let Some(world) = next.pop_front().filter(|_| seen.len() < RAW_STATES) {
            let after = steps(&world);
            let one: BTreeSet<World> = after.iter().cloned().map(canonical).collect();
            let other: BTreeSet<World> = steps(&canonical(world.clone())).into_iter().map(canonical).collect();
            assert_eq!(one, other, "after {world:?}");
            let kept = |world: &World| -> Vec<_> {
                invariants::promises().into_iter().map(|promise| (promise.condition)(&model, world)).collect()
            };
            assert_eq!(kept(&world), kept(&canonical(world.clone())), "in {world:?}");
            next.extend(after.into_iter().filter(|world| seen.insert(world.clone())));
        }
    }
}

#[test]
fn what_the_promises_are_about_happens() {
    let happened = views::LIVELY.iter().flat_map(|view| search(view, None, None).happened).collect();
    assert_eq!(invariants::happenings(), happened);
}

/// Prints the shortest way to break each mutant, for whoever wonders what a line of the code is there for:
/// `cargo test -p shared --test passcode_model -- --ignored --nocapture counterexamples`
#[test]
#[ignore = "an explanation, not a check"]
fn counterexamples() {
    for (mutant, _, view) in Mutant::CAUGHT {
        eprintln!("{}", counterexample(&view, Some(mutant)).unwrap_or_default());
    }
}
