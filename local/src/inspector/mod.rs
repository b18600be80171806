//! What the system shows of itself, beside the API: a home page with all that a newcomer needs, and the inspector, which
//! tells the story of each request and lets things go wrong.
//!
//! Everything but the pages themselves is for this machine alone, and what changes something for these pages alone.
//! Secrets leave here hidden unless they are asked for.

mod curl;
mod explain;
mod hide;
mod server;
mod view;
mod wishes;

pub use server::{Inspected, home, router};
