//! Use cases, one file each: the only place that opens a transaction.

pub mod once;
pub mod publish_catalogue;
pub mod signing_keys;
pub mod tokens;
