//! The integration tests: one binary, against a real PostgreSQL and Redis and the sandbox. `script/test` starts them.

mod docs;
mod harness;
mod layers;
mod proxy;
mod typescript;
