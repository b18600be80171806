//! What generates files of this repository and checks it. Tests of `tests/` compare what stands in more than one place.

pub mod commands;
pub mod emulator;
pub mod fixtures;
pub mod trial;
pub mod unused_permissions;
