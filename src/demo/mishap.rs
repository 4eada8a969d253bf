//! The errors of the demonstration: an unexpected response, no response, or an event that did not happen in time.

use std::time::Duration;

use reqwest::StatusCode;

/// Why the demonstration failed. `call` is the method and the path of an HTTP request.
#[derive(Debug, thiserror::Error)]
pub enum Mishap {
    #[error("{call}: no answer: {cause}")]
    NoAnswer { call: String, cause: reqwest::Error },
    /// `problem` is the code and the detail of the problem document, or the beginning of any other body.
    #[error("{call}: {status}: {problem}")]
    Refused { call: String, status: StatusCode, problem: String },
    #[error("{call}: the answer has nothing at {pointer}")]
    Missing { call: String, pointer: String },
    #[error("{what}: not within {} s", after.as_secs())]
    Late { what: String, after: Duration },
    /// The settings or files of the demonstration are unusable.
    #[error("{0}")]
    Unprepared(String),
    /// An observation differs from the expectation.
    #[error("{0}")]
    Wrong(String),
}

pub type Played<T> = Result<T, Mishap>;

/// Returns [`Mishap::Wrong`] with the text of `otherwise`, unless `holds` is true.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Played<()> {
    if holds { Ok(()) } else { Err(Mishap::Wrong(otherwise())) }
}
