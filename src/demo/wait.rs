//! Waiting for an event by polling, until a deadline.

use std::time::Duration;

use super::mishap::{Mishap, Played};
use crate::domain::kernel::clock::Stopwatch;

/// The time-out of one step of a journey.
pub const STEP_TIME_OUT: Duration = Duration::from_secs(60);

/// Calls `ask` repeatedly until it returns a value or an error. Fails with [`Mishap::Late`] if this takes longer than
/// `deadline`.
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
