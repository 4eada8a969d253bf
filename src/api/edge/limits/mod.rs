//! Limits on the size, the length and the rate of requests.

pub mod body_limit;
pub mod budgets;
pub mod callers;
pub mod gcra;
pub mod head_limit;
pub mod policies;
pub mod quotas;
pub mod rate_limit;
