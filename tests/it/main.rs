//! The tests that need more than one module: a real database, a real Redis, the program itself.

mod catalogue;
