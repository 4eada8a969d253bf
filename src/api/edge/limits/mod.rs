//! How large, how long and how frequent requests may be.

pub mod body_limit;
pub mod bucket;
pub mod buckets;
pub mod callers;
pub mod head_limit;
pub mod rate_limit;
