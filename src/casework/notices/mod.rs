//! The inbox of an applicant, and the log of changes that their clients follow.

pub mod inbox;
pub mod live;
pub mod log;
