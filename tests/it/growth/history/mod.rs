//! Does anything grow with history? A town lives through a day, its rows are copied into years of history, and it lives
//! through another day, while PostgreSQL tells the plan of each statement with what it really read.
//!
//! `tests/it/growth.rs` does it with some thousand cases in every run of the tests, `script/bench history` with millions.

#![allow(dead_code, reason = "each of the two wants something of its own")]

pub mod copies;
pub mod day;
pub mod plans;

/// Whatever ends it early, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
