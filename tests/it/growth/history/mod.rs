//! Finds what gets slower with history. A town lives through a day, its rows are copied into years of history, and
//! the town lives through another day, while PostgreSQL logs the plan of each statement with the rows that it read.
//!
//! The tests make some thousand cases, and `script/bench history` millions. The benchmarks include this folder.

#![allow(dead_code, reason = "tests and benchmarks use different parts")]

pub mod copies;
pub mod day;
pub mod plans;

/// Any error.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
