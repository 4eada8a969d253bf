//! What can go wrong in a play: an answer that was not hoped for, no answer, or something that never came about.

use std::time::Duration;

use reqwest::StatusCode;

/// Why a journey ended early.
#[derive(Debug, thiserror::Error)]
pub enum Mishap {
    /// No answer came.
    #[error("{call}: no answer: {cause}")]
    NoAnswer {
        /// Method and path.
        call: String,
        cause: reqwest::Error,
    },
    /// The answer was a problem.
    #[error("{call}: {status}: {problem}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: StatusCode,
        /// The problem's code and detail, or the body's beginning.
        problem: String,
    },
    /// The answer lacks something.
    #[error("{call}: the answer has nothing at {pointer}")]
    Missing {
        /// Method and path.
        call: String,
        /// A JSON pointer.
        pointer: String,
    },
    /// Something did not come about in time.
    #[error("{what}: not within {} s", after.as_secs())]
    Late {
        /// What was waited for.
        what: String,
        after: Duration,
    },
    /// The player's own settings or files cannot be used.
    #[error("{0}")]
    Unprepared(String),
    /// What was seen is not what should be.
    #[error("{0}")]
    Wrong(String),
}

/// What a step of a play returns.
pub type Played<T> = Result<T, Mishap>;
