//! Failures of a play: an unexpected answer, no answer, or an event that did not happen in time.

use std::time::Duration;

use reqwest::StatusCode;

/// Why a play failed. `call` is a method and a path.
#[derive(Debug, thiserror::Error)]
pub enum Mishap {
    #[error("{call}: no answer: {cause}")]
    NoAnswer { call: String, cause: reqwest::Error },
    /// `problem` is the problem's code and detail, or the beginning of the body.
    #[error("{call}: {status}: {problem}")]
    Refused { call: String, status: StatusCode, problem: String },
    #[error("{call}: the answer has nothing at {pointer}")]
    Missing { call: String, pointer: String },
    #[error("{what}: not within {} s", after.as_secs())]
    Late { what: String, after: Duration },
    /// The player's own settings or files are unusable.
    #[error("{0}")]
    Unprepared(String),
    /// An observation differs from the expectation.
    #[error("{0}")]
    Wrong(String),
}

pub type Played<T> = Result<T, Mishap>;

/// Fails with the words of `otherwise` unless `holds`.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Played<()> {
    if holds { Ok(()) } else { Err(Mishap::Wrong(otherwise())) }
}
