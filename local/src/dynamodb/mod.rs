//! DynamoDB: the embedded database, and the front through which everybody calls it.

mod database;
mod front;

pub use database::Tables;
pub use front::Front;
