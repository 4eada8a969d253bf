//! Input from outside can be anything. These tests send damaged real messages to every place that takes input. Each
//! message is answered as documented and never with a 500, and the job that processes an accepted message comes to an
//! end.
//!
//! The real messages are in `tests/seeds`. They are sent unchanged as well, so a message that broke something once is
//! added there. `PROPTEST_CASES` sets how many damaged messages are tried. CONTRIBUTING.md says more.

mod bodies;
mod callbacks;
mod documents;
mod files;
mod forms;
mod known;
mod mangle;
mod operation;
mod parameters;
mod readers;
mod requests;
mod seeds;
mod words;
