//! Whether the time of a comparison tells anything of the secret: `dudect` times two classes of input, mixed at random,
//! and gives Welch's t. Beyond 4.5 something tells; `./check timing` asserts the bound.
//!
//! In each, the left class is wrong in the first character and the right class is the secret itself: whoever compares
//! byte by byte and stops at the first difference is found out at once.
#![expect(clippy::expect_used, reason = "what is parsed stands here")]

use dudect_bencher::{
    BenchRng, Class, CtRunner, ctbench_main,
    rand::{Rng, RngExt},
};
use shared::{
    passcode::{Passcode, limits::DIGITS},
    token::TokenHash,
};

const SAMPLES: usize = 200_000;

/// Times `compare` on the secret and on the same with another first character. Each sample is a copy of its own: where
/// one of two lies in memory tells on caches, not on the comparison.
fn time<T: Clone>(runner: &mut CtRunner, rng: &mut BenchRng, [wrong, right]: [T; 2], compare: impl Fn(&T) -> bool) {
    let sample = |is_right| if is_right { (Class::Right, right.clone()) } else { (Class::Left, wrong.clone()) };
    let samples: Vec<_> = (0..SAMPLES).map(|_| sample(rng.random())).collect();
    for (class, input) in samples {
        runner.run_one(class, || compare(&input));
    }
}

/// A token as `auth` checks it: hashed, then compared in constant time.
fn token(runner: &mut CtRunner, rng: &mut BenchRng) {
    let random = rng.next_u64();
    let right = format!("atomst_{random:043}000000");
    let wrong = format!("xtomst_{random:043}000000");
    let hash = TokenHash::of(&right);
    time(runner, rng, [wrong, right], |presented| hash.matches(presented));
}

/// A passcode as `count_guess` compares it.
fn passcode(runner: &mut CtRunner, rng: &mut BenchRng) {
    let width = DIGITS - 1;
    let digits = rng.next_u64() % (0..width).fold(1_u64, |codes, _| 10 * codes);
    let parse = |text: String| Passcode::parse(&text).expect("as many digits");
    let [wrong, right] = ["8", "9"].map(|first| parse(format!("{first}{digits:0width$}")));
    let code = right.clone();
    time(runner, rng, [wrong, right], |guess| code.matches(guess));
}

/// What the others must not be: a comparison that stops at the first difference. Its t shows that the bench can tell.
fn naive(runner: &mut CtRunner, rng: &mut BenchRng) {
    let random = rng.next_u64();
    let [wrong, right] = ["x", "a"].map(|first| format!("{first}{random:0512}"));
    let secret = right.clone();
    let stops = |presented: &String| secret.bytes().zip(presented.bytes()).all(|(a, b)| std::hint::black_box(a) == b);
    time(runner, rng, [wrong, right], stops);
}

ctbench_main!(token, passcode, naive);
