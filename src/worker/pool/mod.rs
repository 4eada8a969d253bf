//! The path of a job from its stream entry to its settlement: lanes, their pools and breakers, and the settler.

pub mod breaker;
pub mod lane;
pub mod lane_pool;
pub mod settler;
pub mod shared_breaker;
