//! Prints `events/fixtures.json`: the fixed, test-only records that the events speak of.
//!
//! `cargo run -p local --example fixtures > events/fixtures.json`; a test compares the file with this. The secrets in it
//! are readable, and their checksums wrong on purpose: no scanner takes them for real ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a generator that cannot go on has failed")]

#[path = "../tests/api/fixtures.rs"]
mod fixtures;

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() {
    println!("{:#}", fixtures::all());
}
