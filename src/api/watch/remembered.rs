//! Remembers an expensive finding for some time, so that many callers cost as much as one.

use std::future::Future;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::kernel::clock::Stopwatch;

pub struct Remembered<T> {
    /// The time for which a finding is remembered.
    every: Duration,
    last: Mutex<Option<(Stopwatch, T)>>,
}

impl<T: Copy> Remembered<T> {
    pub fn new(every: Duration) -> Self {
        Self { every, last: Mutex::default() }
    }

    /// Returns the last finding, or a new one if there is none or it is too old. Callers that come meanwhile wait for
    /// the new one.
    pub async fn get<F: Future<Output = T>>(&self, find: impl FnOnce() -> F) -> T {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = *last
            && at.elapsed() <= self.every
        {
            return found;
        }
        let found = find().await;
        *last = Some((Stopwatch::start(), found));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    async fn asked(every: Duration, callers: usize) -> u32 {
        let asked = AtomicU32::new(0);
        let remembered = Remembered::new(every);
        let find = || async {
            tokio::task::yield_now().await;
            asked.fetch_add(1, Ordering::Relaxed)
        };
        join_all((0..callers).map(|_| remembered.get(find))).await;
        asked.into_inner()
    }

    #[tokio::test]
    async fn many_callers_cost_as_much_as_one() {
        assert_eq!(asked(Duration::from_secs(3600), 100).await, 1);
    }

    #[tokio::test]
    async fn an_old_finding_is_forgotten() {
        let remembered = Remembered::new(Duration::ZERO);
        remembered.get(|| async { 1 }).await;
        let began = Stopwatch::start();
        while began.elapsed().is_zero() {}
        assert_eq!(remembered.get(|| async { 2 }).await, 2);
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_leaves_the_question_to_the_next() {
        let remembered = Remembered::new(Duration::from_secs(3600));
        let hangs_up = async {
            tokio::select! {
                biased;
                found = remembered.get(std::future::pending::<u8>) => Some(found),
                () = tokio::task::yield_now() => None,
            }
        };
        assert_eq!(hangs_up.await, None);
        assert_eq!(remembered.get(|| async { 1 }).await, 1);
    }
}
