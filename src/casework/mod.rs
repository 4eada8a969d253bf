//! (being written)

pub mod bell;
pub mod people;
pub mod signing_keys;
pub mod tokens;
