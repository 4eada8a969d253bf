//! The regular tasks of a worker beside jobs.

pub mod abandoned;
pub mod heartbeat;
pub mod housekeeper;
