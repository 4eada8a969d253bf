//! The cost of work does not grow with history: no statement reads more because of what happened before.

pub mod history;
mod statements;
mod tables;
