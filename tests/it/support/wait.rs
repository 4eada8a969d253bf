//! Waits for something that another task or process does.

use std::time::Duration;

use songda::demo::wait;

/// How long a test waits before it fails. It is no limit for the product: it is far longer than anything takes, even on
/// a busy machine or one that was suspended for a while. For example, a Redis sentinel that was suspended for more than
/// two seconds only monitors for the next thirty seconds (TILT mode).
pub const TIMEOUT: Duration = Duration::from_secs(90);

/// Polls until the condition holds. `what` completes "waited for" in the message of a failed test.
pub async fn wait_until(what: &str, holds: impl AsyncFnMut() -> bool) {
    wait_at_most(TIMEOUT, what, holds).await;
}

/// Polls like [`wait_until`], with a deadline that is part of what the test promises.
pub async fn wait_at_most(deadline: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let ask = async || Ok(holds().await.then_some(()));
    wait::until(what, deadline, ask).await.unwrap_or_else(|late| panic!("{late}"));
}
