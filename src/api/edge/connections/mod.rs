//! The connections of a listener: accepted within limits, served by hyper, and closed when they stall.

pub mod activity;
pub mod limits;
pub mod server;
