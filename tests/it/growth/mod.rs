//! The cost of work does not grow with history: no statement reads more rows because there are more old rows.

pub mod history;
mod statements;
mod tables;
