//! From a ring on a stream to a settled attempt: lanes, their pools and breakers, and the settler.

pub mod breaker;
pub mod lane;
pub mod lane_pool;
pub mod settler;
pub mod shared_breaker;
