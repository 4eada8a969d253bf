//! The integration tests: one binary, against a real PostgreSQL and Redis and the sandbox. `script/test` starts them.
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
