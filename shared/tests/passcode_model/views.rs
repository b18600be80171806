//! What to search: a protocol's numbers and how much happens at once. Each view is small in what it is not about.

use super::{
    protocol::{NO_BUDGET, Rules, UNLIMITED},
    steps::Bounds,
};

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub name: &'static str,
    pub rules: Rules,
    pub bounds: Bounds,
    /// Threads: one finds the shortest way first.
    pub threads: usize,
}

const RULES: Rules = Rules {
    max_tried: 1,
    max_failures: UNLIMITED,
    lifetime: 1,
    cooldown: 0,
    timeout: 1,
    pause: 2,
    max_mails: 2,
    window: 0,
    budget: NO_BUDGET,
};

const BOUNDS: Bounds = Bounds { sends: 1, guesses: 1, adrift: [0, 0], wrong: 1, peppers: 1, erasure: false };

/// Parallel sends under the cap of mails; an invocation may take longer than a tick.
pub const MAILS: View = View {
    name: "mails",
    rules: Rules { lifetime: 3, cooldown: 2, timeout: 2, window: 3, ..RULES },
    bounds: Bounds { sends: 2, guesses: 0, ..BOUNDS },
    threads: 1,
};

/// Parallel sends under a day's budget.
pub const BUDGET: View = View {
    name: "budget",
    rules: Rules { cooldown: 0, window: 0, budget: 2, ..RULES },
    bounds: Bounds { sends: 2, guesses: 0, ..BOUNDS },
    threads: 1,
};

/// Parallel sends while guesses exhaust and redeem.
pub const RACES: View = View {
    name: "races",
    rules: Rules { lifetime: 2, cooldown: 1, ..RULES },
    bounds: Bounds { sends: 2, ..BOUNDS },
    threads: 1,
};

/// Parallel guesses at codes that come and go.
pub const GUESSES: View = View {
    name: "guesses",
    rules: Rules { max_tried: 2, ..RULES },
    bounds: Bounds { guesses: 2, wrong: 3, ..BOUNDS },
    threads: 1,
};

/// Failures in a row over several codes, and the pause.
pub const PAUSE: View = View {
    name: "pause",
    rules: Rules { max_tried: 2, max_failures: 3, lifetime: 2, pause: 3, ..RULES },
    bounds: Bounds { wrong: 3, ..BOUNDS },
    threads: 1,
};

/// Attempts that arrive after they were given up.
pub const LATE: View =
    View { name: "late attempts", rules: RULES, bounds: Bounds { adrift: [0, 1], ..BOUNDS }, threads: 1 };

/// Parallel sends whose attempts arrive late.
pub const LATE_MAILS: View = View {
    name: "late mails",
    rules: Rules { lifetime: 2, cooldown: 1, window: 3, ..RULES },
    bounds: Bounds { sends: 2, guesses: 0, adrift: [1, 0], ..BOUNDS },
    threads: 1,
};

/// One pepper takes over from the other, while processes of both are at work.
pub const ROTATION: View = View {
    name: "rotation",
    rules: Rules { max_tried: 2, ..RULES },
    bounds: Bounds { wrong: 2, peppers: 2, ..BOUNDS },
    threads: 1,
};

/// The customer is erased and the address given to another.
pub const ERASURE: View = View {
    name: "erasure",
    rules: Rules { lifetime: 2, cooldown: 1, ..RULES },
    bounds: Bounds { erasure: true, ..BOUNDS },
    threads: 1,
};

/// The same between two sends.
pub const ERASURE_AND_SENDS: View = View {
    name: "erasure and sends",
    rules: Rules { lifetime: 2, cooldown: 1, window: 3, ..RULES },
    bounds: Bounds { sends: 2, guesses: 0, erasure: true, ..BOUNDS },
    threads: 1,
};

/// What every test run searches through.
pub const NARROW: [View; 10] =
    [MAILS, BUDGET, RACES, GUESSES, PAUSE, LATE, LATE_MAILS, ROTATION, ERASURE, ERASURE_AND_SENDS];

/// Where everything happens that the promises are about.
pub const LIVELY: [View; 3] = [MAILS, BUDGET, PAUSE];

const fn wide(name: &'static str, rules: Rules, bounds: Bounds) -> View {
    View { name, rules, bounds, threads: 2 }
}

/// More at once, for longer.
pub const WIDE: [View; 9] = [
    wide(
        "two sends under a budget and the cap of mails",
        Rules { lifetime: 2, cooldown: 1, window: 3, budget: 2, ..RULES },
        Bounds { sends: 2, guesses: 0, ..BOUNDS },
    ),
    wide(
        "three sends",
        Rules { lifetime: 3, cooldown: 2, timeout: 2, window: 4, max_mails: 3, ..RULES },
        Bounds { sends: 3, guesses: 0, ..BOUNDS },
    ),
    wide(
        "two sends, guesses and the pause",
        Rules { max_tried: 2, max_failures: 3, lifetime: 3, cooldown: 2, pause: 4, ..RULES },
        Bounds { sends: 2, wrong: 3, ..BOUNDS },
    ),
    wide(
        "two sends and guesses under the cap of mails",
        Rules { lifetime: 2, cooldown: 2, window: 3, ..RULES },
        Bounds { sends: 2, ..BOUNDS },
    ),
    wide("two sends and two guesses", Rules { ..RULES }, Bounds { sends: 2, guesses: 2, ..BOUNDS }),
    wide("three guesses", Rules { max_tried: 2, ..RULES }, Bounds { guesses: 3, wrong: 3, ..BOUNDS }),
    wide(
        "two guesses and a longer row",
        Rules { max_tried: 2, max_failures: 5, lifetime: 2, pause: 3, ..RULES },
        Bounds { guesses: 2, wrong: 3, ..BOUNDS },
    ),
    wide("late attempts of both", Rules { ..RULES }, Bounds { adrift: [1, 1], ..BOUNDS }),
    wide(
        "erasure between two sends and guesses",
        Rules { lifetime: 2, cooldown: 1, ..RULES },
        Bounds { sends: 2, erasure: true, ..BOUNDS },
    ),
];
