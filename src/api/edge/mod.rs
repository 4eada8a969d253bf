//! What every operation of every audience shares, each thing once.

pub mod answers;
pub mod limits;
pub mod middleware;
pub mod openapi;
pub mod parameters;
