//! Failures of a play: an unexpected answer, no answer, or an event that did not happen in time.

use std::time::Duration;

use reqwest::StatusCode;

/// Why a play failed.
#[derive(Debug, thiserror::Error)]
pub enum Mishap {
    #[error("{call}: no answer: {cause}")]
    NoAnswer {
        /// Method and path.
        call: String,
        cause: reqwest::Error,
    },
    /// The answer is an error.
    #[error("{call}: {status}: {problem}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: StatusCode,
        /// The problem's code and detail, or the beginning of the body.
        problem: String,
    },
    /// The answer lacks a value.
    #[error("{call}: the answer has nothing at {pointer}")]
    Missing {
        /// Method and path.
        call: String,
        /// A JSON pointer.
        pointer: String,
    },
    /// An expected event did not happen in time.
    #[error("{what}: not within {} s", after.as_secs())]
    Late {
        /// The expected event.
        what: String,
        after: Duration,
    },
    /// The player's own settings or files are unusable.
    #[error("{0}")]
    Unprepared(String),
    /// An observation differs from the expectation.
    #[error("{0}")]
    Wrong(String),
}

/// The result of a step of a play.
pub type Played<T> = Result<T, Mishap>;

/// Fails a play unless `holds`.
///
/// # Errors
/// [`Mishap::Wrong`] with the words of `otherwise`.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Played<()> {
    if holds { Ok(()) } else { Err(Mishap::Wrong(otherwise())) }
}
