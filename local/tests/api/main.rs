//! Black-box tests: they start the system on free ports and talk to it as its callers do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod broken_events;
mod budgets;
mod caller;
mod command;
mod credentials;
mod customers;
mod data;
mod deployed;
mod effects;
mod endings;
mod events;
mod faults;
mod frozen;
mod gateway;
mod guesses;
mod inspector;
mod invoke;
mod leaks;
mod mailbox;
mod operate;
mod operator;
mod partner;
mod passcodes;
mod races;
mod record_copies;
mod reference;
mod rights;
mod sam_local;
mod senders;
mod story;
mod support;
mod tenants;
mod test_apps;
mod tickets;
mod tls;
mod trips;
mod undeliverable;
mod watch;

use tools::fixtures;
