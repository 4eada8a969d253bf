//! The HTTP APIs, a folder for each audience as in the URLs; the edge that all of them share; and promises that several
//! audiences get.

pub mod edge;
mod idempotency;
mod integration;
mod mobile;
mod ops;
mod power_list;
mod staff;
