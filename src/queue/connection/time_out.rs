//! The time-out of Redis commands.

use std::future::Future;
use std::io;
use std::time::Duration;

use redis::RedisResult;

/// The maximum time until Redis answers a command. Blocking reads have a longer limit.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Waits for an answer. Fails with a time-out error if the answer takes longer than [`ANSWER_WITHIN`].
pub async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
    tokio::time::timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(late)
}
