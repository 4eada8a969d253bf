//! What changed for a person, told as it happens: the one log behind Server-Sent Events and long-polls.
//!
//! A process listens to Redis once, for all its clients. What it hears is only "look again"; a client that waits looks
//! again by itself every few seconds all the same, so nothing is missed while Redis is away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Casework;
use crate::domain::ids::PersonId;
use crate::queue::Queue;
use crate::store::StoreError;
use crate::store::changes::{self, Change};

/// Wakes clients that wait for news. Cloning shares it.
#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<HashMap<PersonId, Weak<Notify>>>>);

/// How often somebody who waits looks without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pause before Redis is listened to again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// How many people may be remembered before those who left are swept out.
const SWEEP_FROM: usize = 1_024;

impl Live {
    /// What wakes a person's clients.
    fn bell(&self, person: PersonId) -> Arc<Notify> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= SWEEP_FROM && waiting.len().is_power_of_two() {
            waiting.retain(|_, bell| bell.strong_count() > 0);
        }
        if let Some(bell) = waiting.get(&person).and_then(Weak::upgrade) {
            return bell;
        }
        let bell = Arc::new(Notify::new());
        waiting.insert(person, Arc::downgrade(&bell));
        bell
    }

    fn wake(&self, people: &[PersonId]) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for person in people {
            if let Some(bell) = waiting.get(person).and_then(Weak::upgrade) {
                bell.notify_waiters();
            }
        }
    }

    /// Listens to Redis until the process stops, and wakes those whom news concern.
    pub async fn run(self, queue: Queue, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match queue.listen().await {
                Ok(news) => {
                    tokio::pin!(news);
                    while let Some(Some(people)) = stop.run_until_cancelled(news.next()).await {
                        self.wake(&people);
                    }
                }
                Err(error) => tracing::debug!(%error, "live clients look by themselves while Redis is away"),
            }
            stop.run_until_cancelled(tokio::time::sleep(LISTEN_AGAIN)).await;
        }
    }
}

impl Casework {
    /// A person's changes after a place in their log; waits up to `wait` for the first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn changes(
        &self,
        live: &Live,
        person: PersonId,
        after: i64,
        limit: i64,
        wait: Duration,
    ) -> Result<Vec<Change>, StoreError> {
        let bell = live.bell(person);
        let deadline = tokio::time::sleep(wait);
        tokio::pin!(deadline);
        loop {
            // Registered before the look, so that news between the two are heard.
            let woken = bell.notified();
            let found = changes::after(&mut *self.store().connection().await?, person, after, limit).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut deadline => return Ok(found),
            }
        }
    }

    /// The end of a person's log: where a client that has just read everything goes on.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn latest_change(&self, person: PersonId) -> Result<i64, StoreError> {
        changes::latest(&mut *self.store().connection().await?, person).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn news_wake_those_whom_they_concern() {
        let live = Live::default();
        let (one, other) = (PersonId::from_uuid(Uuid::from_u128(1)), PersonId::from_uuid(Uuid::from_u128(2)));
        let (bell, silent) = (live.bell(one), live.bell(other));
        let (woken, not_woken) = (bell.notified(), silent.notified());
        tokio::pin!(woken, not_woken);
        woken.as_mut().enable();
        not_woken.as_mut().enable();
        live.wake(&[one]);
        woken.await;
        assert!(futures_util::poll!(not_woken).is_pending());
    }

    #[test]
    fn whoever_left_is_forgotten() {
        let live = Live::default();
        let people = (0..5_000_u128).map(|n| PersonId::from_uuid(Uuid::from_u128(n)));
        for person in people {
            drop(live.bell(person));
        }
        assert!(live.0.lock().unwrap().len() <= SWEEP_FROM + 1);
    }
}
