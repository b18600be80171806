//! A thousand distinct guesses at once, round after round, with the very calls that `auth` makes: without the gateway
//! and the processes before them, two hundred rounds are affordable.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use futures::future::join_all;
use shared::{
    Store, Timestamp,
    email::EmailAddress,
    id::{Cuid, Subject, Superkey},
    passcode::{
        Claimed, Guess, Guessed, Mailing, Passcode, Pepper, Plan, SendRules, State, count_guess,
        limits::{DIGITS, GUESSES_PER_PASSCODE, MAILS_PER_APP},
        plan_send, record_key,
    },
    sdk,
    store::{Key, Table},
};

use crate::{races::size, support::TestApp};

const APP: &str = "atomsk_0000000000000000000000";
const CUID: &str = "0000000000000000000000";

fn pepper(generation: &str) -> Pepper {
    Pepper::parse(&format!("{generation}:{}", generation.repeat(32))).unwrap()
}

/// A store of the system's tables, as a function has it.
fn store(app: &TestApp) -> Store {
    let client = Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(app.dynamodb())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(sdk::http_client().unwrap())
            .build(),
    );
    let name = app.table_name("PasscodesTable");
    Store::new(client, |table| (table == Table::Passcodes).then(|| name.clone()))
}

/// Whose passcodes they are.
fn whose() -> Subject {
    Subject { app: Superkey::parse(APP).unwrap(), cuid: Cuid::parse(CUID).unwrap(), epoch: 0 }
}

/// A passcode of an address of its own, as `send-passcode` stores it before it mails.
async fn issue(store: &Store, pepper: &Pepper, n: usize, now: Timestamp) -> (Key, Passcode) {
    let address = EmailAddress::parse(&format!("customer{n}@example.com")).unwrap();
    let key = record_key(&whose().app, &address);
    let whose = whose();
    let rules = SendRules { lifetime: Duration::from_mins(10), cooldown: Duration::from_secs(30) };
    let Plan::Mail(claim) = plan_send(&State::default(), pepper, &whose, rules, now).unwrap() else {
        panic!("a first mail is never held back");
    };
    let mailing = Mailing { store, pepper, whose: &whose, address: &address, mails_per_day: MAILS_PER_APP };
    let claimed = mailing.claim_mail(&claim, now).await.unwrap();
    assert!(matches!(claimed, Claimed::Won));
    (key, pepper.code(&claim.nonce, &whose))
}

/// The `n`th of all guesses, so that no two are alike.
fn guess(n: usize) -> Passcode {
    Passcode::parse(&format!("{n:0DIGITS$}")).unwrap()
}

/// What the guesses at one passcode came to.
#[derive(Default)]
struct Round {
    right: AtomicUsize,
    wrong: AtomicUsize,
    failed: AtomicUsize,
}

/// Guesses `times` times at once, once of them right, in random order.
async fn attack(store: &Store, pepper: &Pepper, times: usize, n: usize) -> Round {
    let now = shared::Clock::system().now();
    let (key, code) = issue(store, pepper, n, now).await;
    let whose = whose();
    let mut guesses: Vec<Passcode> = (0..times - 1).map(guess).filter(|guess| !guess.matches(&code)).collect();
    // Sorted by random numbers: every order is as likely as any other.
    let mut place = [0; 8];
    getrandom::fill(&mut place).unwrap();
    guesses.insert(usize::try_from(u64::from_le_bytes(place) % times as u64).unwrap(), code);
    let round = Round::default();
    join_all(guesses.iter().map(async |passcode| {
        let guess = Guess { key: &key, whose: &whose, passcode };
        match count_guess(store, pepper, &guess, now).await {
            Ok(Guessed::Right { .. }) => round.right.fetch_add(1, SeqCst),
            Ok(Guessed::Wrong { .. }) => round.wrong.fetch_add(1, SeqCst),
            Ok(Guessed::Refused) => 0,
            // So many at once can be more than the machine gets done in time. Whoever guessed learns nothing.
            Err(_) => round.failed.fetch_add(1, SeqCst),
        };
    }))
    .await;
    round
}

#[tokio::test]
async fn a_right_guess_whose_reply_was_lost_is_right_again_though_it_was_the_last() {
    let app = TestApp::start().await;
    let (store, pepper) = (store(&app), pepper("1"));
    let now = shared::Clock::system().now();
    let (key, code) = issue(&store, &pepper, 0, now).await;
    let whose = whose();
    let count = async |passcode| {
        let guess = Guess { key: &key, whose: &whose, passcode };
        count_guess(&store, &pepper, &guess, now).await.unwrap()
    };
    let wrong: Vec<_> = (0..).map(guess).filter(|guess| !guess.matches(&code)).take(GUESSES_PER_PASSCODE - 1).collect();
    for wrong in &wrong {
        assert!(matches!(count(wrong).await, Guessed::Wrong { exhausted: false, .. }));
    }
    assert!(matches!(count(&code).await, Guessed::Right { .. }));
    assert!(matches!(count(&code).await, Guessed::Right { .. }));
    let [item] = store.batch_get([Some(key.clone())]).await.unwrap();
    let state = State::from_item(item.as_ref());
    assert_eq!(state.tried.len(), GUESSES_PER_PASSCODE);
    assert!(state.living_nonce(&pepper, &whose, now).is_some(), "a send keeps the code");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_distinct_guesses_at_once_few_are_compared() {
    let app = TestApp::start().await;
    let (store, pepper) = (store(&app), pepper("1"));
    let (rounds, times) = (size(10, 200), size(200, 1000));
    let (mut won, mut undisturbed) = (0, 0);
    for n in 0..rounds {
        let round = attack(&store, &pepper, times, n).await;
        let (right, wrong) = (round.right.into_inner(), round.wrong.into_inner());
        assert!(right + wrong <= GUESSES_PER_PASSCODE, "round {n}: {right} + {wrong} of {times} were compared");
        if round.failed.into_inner() == 0 {
            assert_eq!(right + wrong, GUESSES_PER_PASSCODE, "round {n}: and no fewer");
            undisturbed += 1;
        }
        won += right;
    }
    // The share of luck, and ten times that would not be luck.
    let fair_share = rounds * GUESSES_PER_PASSCODE / times;
    assert!(won <= 10 * fair_share.max(1), "{won} of {rounds}");
    assert!(undisturbed > 0, "every round had calls that did not get done in time");
    // Read by whoever wants the figure: `./check exhaustive`.
    eprintln!(
        "{rounds} rounds of {times} distinct guesses at once, {undisturbed} of them with every call done in time: never \
         more than {GUESSES_PER_PASSCODE} compared, the right one among them {won} times"
    );
}
