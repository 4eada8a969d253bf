//! A worker's regular tasks, which run in addition to its jobs.

pub mod abandoned;
pub mod heartbeat;
pub mod housekeeper;
