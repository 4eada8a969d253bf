//! The tests that need more than one module: a real database, a real Redis, the program itself.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod catalogue;
