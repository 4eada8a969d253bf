//! The integration tests: one binary, since linking it is most of its cost.

mod edge;
