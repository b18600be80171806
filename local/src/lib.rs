//! The whole system on one machine: an HTTP API gateway that reads its routes from `template.yaml`, the Lambda
//! Runtime API under which the real function binaries run, DynamoDB and a mailbox.
//!
//! `cargo run -p local` starts it; tests start a [`system::System`] of their own. It is a stand for this project's
//! template, not a CloudFormation, and it is never deployed.

mod addresses;
mod assignments;
pub mod binaries;
pub mod calls;
pub mod cli;
mod data;
pub mod demo;
pub mod deployed;
pub mod dynamodb;
pub mod events;
pub mod faults;
mod files;
pub mod gateway;
mod guard;
pub mod handout;
pub mod iam;
mod ids;
mod inspector;
pub mod logs;
pub mod mailbox;
pub mod partner;
mod reference;
pub mod requests;
pub mod runtime;
pub mod servers;
pub mod system;
pub mod template;
pub mod terminal;
mod time;
