//! The integration tests: one binary. They use a real PostgreSQL, a real Redis and the sandbox, which plays the
//! gateways. `script/test` runs them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod api;
mod delivery;
mod fuzz;
mod growth;
mod journeys;
mod operations;
mod resilience;
mod source;
mod support;
