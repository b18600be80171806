//! DynamoDB: the tables, where they are kept, and the front through which everybody calls them.

mod database;
mod engine;
mod front;

pub use database::{Kept, Tables};
pub use front::Front;
