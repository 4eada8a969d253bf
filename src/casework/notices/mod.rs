//! What a person is told: the inbox, and live changes.

pub mod inbox;
pub mod live;
