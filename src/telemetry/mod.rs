//! What a process tells of itself while it runs: [`logs`] to standard error, [`traces`] to a collector. What it counts is
//! asked for instead (`metrics`).

pub mod logs;
pub mod traces;
