//! What the functions of the Customers API share: auth checks, records, secrets, and the store behind them.
//!
//! Modules are named by domain word. A request flows one way: [`http::Call`] wraps it, [`auth`] says who calls,
//! the domain modules read and write through [`store::Store`], and [`http::answer`] turns the result into the one shape
//! of every reply.

pub mod app;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod config;
pub mod copies;
pub mod credential;
pub mod customer;
pub mod email;
pub mod error;
pub mod fields;
pub mod http;
pub mod id;
pub mod language;
pub mod passcode;
pub mod platform;
pub mod profile;
pub mod random;
pub mod sdk;
pub mod status;
pub mod store;
#[cfg(test)]
mod stored;
pub mod ticket;
pub mod token;
pub mod tokens;
pub mod visible;

pub use clock::{Clock, Timestamp};
pub use error::{Error, Result};
pub use store::Store;
