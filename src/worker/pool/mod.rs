//! From a ring on a stream to a settled attempt: lanes, the workers of a lane, their limits, and the settler.

pub mod attempt;
pub mod breaker;
pub mod floor;
pub mod gate;
pub mod gone;
pub mod lane;
pub(super) mod offering;
pub mod relay;
pub mod settler;
pub mod verdict;
