//! What comes from outside may be anything. Here it is: real messages, changed in every way, where they come in. Whatever
//! comes is answered, with what the documents say, and never with a 500; and what was taken is read by the job that
//! reads it.
//!
//! What is changed lies in `tests/seeds`, and goes in unchanged as well: a message that broke something once is added
//! there. `PROPTEST_CASES` says how many of each are tried; CONTRIBUTING.md tells the rest.

mod bodies;
mod callbacks;
mod documents;
mod forms;
mod known;
mod mangle;
mod operation;
mod parameters;
mod readers;
mod requests;
mod seals;
mod seeds;
mod words;
