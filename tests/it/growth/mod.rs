//! Nothing grows with history.

pub mod history;
mod statements;
mod tables;
