//! The HTTP APIs, one folder an audience, as in the URLs; and the edge, which all of them share.

pub mod edge;
mod idempotency;
mod integration;
mod mobile;
mod ops;
mod power_list;
mod staff;
