//! The HTTP APIs: a folder for each audience, named as in the URLs; the edge (`edge`: tokens, rate limits, problems),
//! which all audiences share; and behaviour that concerns several audiences (`idempotency`, `power_list`).

pub mod edge;
mod idempotency;
mod integration;
mod mobile;
mod ops;
mod power_list;
mod staff;
