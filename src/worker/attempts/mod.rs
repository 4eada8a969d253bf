//! One attempt at a job: its context, its end, and the decisions that turn a gateway's facts into that end.

pub mod attempt;
pub mod conclusion;
pub mod repeat;
pub mod verdict;
