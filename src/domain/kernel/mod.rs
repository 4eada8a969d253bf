//! The basis of all other modules of the domain: ids, time, text, limits, and rules for retries and rates.

pub mod clock;
pub mod foreign;
pub mod ids;
pub mod limits;
pub mod network;
pub mod pace;
pub mod private;
pub mod retry;
pub(super) mod shown;
pub mod text;
pub(crate) mod words;
