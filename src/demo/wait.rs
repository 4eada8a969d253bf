//! Waiting for something that others bring about: asked for again and again, until a deadline.

use std::time::Duration;

use super::mishap::{Mishap, Played};
use crate::domain::kernel::clock::Stopwatch;

/// Asks until there is an answer.
///
/// # Errors
/// [`Mishap::Late`] when the deadline passes; whatever `ask` fails with at once.
pub async fn until<T>(what: &str, deadline: Duration, mut ask: impl AsyncFnMut() -> Played<Option<T>>) -> Played<T> {
    const PAUSE: Duration = Duration::from_millis(100);
    let watch = Stopwatch::start();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if watch.elapsed() > deadline {
            return Err(Mishap::Late { what: what.to_owned(), after: deadline });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
