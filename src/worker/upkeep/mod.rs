//! A worker's regular tasks beside its jobs.

pub mod abandoned;
pub mod heartbeat;
pub mod housekeeper;
