//! What an applicant is told: the inbox, and live changes.

pub mod inbox;
pub mod live;
pub mod log;
