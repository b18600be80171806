//! Passcodes: how a code comes from a nonce, when it lives, and the calls that send, count and use it up.
//!
//! The item of a customer's passcode has two writers. Sending owns `claim`, `mails`, `lease_until`, `mailed_at` and what
//! a new code begins with; guessing owns `tried`, `failures` and `last_guess_at`. Using a code up ends both. Each write
//! is one conditional call, and its condition is the rule: `docs/security.md` shows the correspondence with the model.

mod budget;
mod code;
mod guess;
pub mod limits;
mod send;
mod state;

pub use budget::Owner;
pub use code::{Passcode, Pepper};
pub use guess::{Guess, Guessed, count_guess, redeem};
pub use send::{Claim, Claimed, Failure, Mailing, Plan, SendRules, plan_send};
pub use state::{State, ended, record_key, reset_limits};
