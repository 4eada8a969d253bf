//! (being written)

pub mod edge;
