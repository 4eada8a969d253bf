//! The integration tests: one binary, against a real PostgreSQL and Redis and the sandbox. `script/test` starts them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod docs;
mod harness;
mod journeys;
mod layers;
mod proxy;
mod typescript;
