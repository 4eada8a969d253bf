//! Buckets that all processes share, in Redis. While Redis is away each process counts for itself, as [`LocalBuckets`]
//! do: a limit protects the service, so its absence must not stop it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::bucket::{Policy, Taken};
use super::rate_limit::{Buckets, LocalBuckets};
use crate::domain::clock::{Instant, Stopwatch};
use crate::queue::Queue;

/// After a failure one request in so long a time asks Redis again; the others do not wait for it.
const REST: Duration = Duration::from_secs(1);

/// The buckets.
pub struct SharedBuckets {
    queue: Queue,
    local: LocalBuckets,
    patience: Duration,
    /// Since Redis was last asked in vain; `None` while it answers.
    away: Mutex<Option<Stopwatch>>,
}

impl SharedBuckets {
    /// Buckets in Redis, and these for the time when it is away. A request waits for Redis as long as `patience` lasts.
    #[must_use]
    pub const fn new(queue: Queue, local: LocalBuckets, patience: Duration) -> Self {
        Self { queue, local, patience, away: Mutex::new(None) }
    }

    async fn spend(&self, policy: &Policy, caller: &str) -> Option<Taken> {
        if !self.may_ask() {
            return None;
        }
        let spend = self.queue.spend(policy.name, caller, policy.each(), policy.window);
        match tokio::time::timeout(self.patience, spend).await {
            Ok(Ok(spent)) => {
                self.answered();
                Some(policy.taken(spent.allowed, spent.full_in))
            }
            Ok(Err(error)) => self.missed(&error.to_string()),
            Err(_) => self.missed("no answer in time"),
        }
    }

    /// Whether Redis should be asked: always while it answers, and else now and then.
    fn may_ask(&self) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let may = away.is_none_or(|since| since.elapsed() >= REST);
        if may && away.is_some() {
            *away = Some(Stopwatch::start());
        }
        may
    }

    fn answered(&self) {
        if self.away.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("requests are counted for all processes together again");
        }
    }

    /// Logs the first miss of an outage, and no other.
    fn missed(&self, error: &str) -> Option<Taken> {
        let before = self.away.lock().unwrap_or_else(PoisonError::into_inner).replace(Stopwatch::start());
        if before.is_none() {
            tracing::warn!(error, "Redis is away: each process counts requests for itself");
        }
        None
    }
}

#[async_trait::async_trait]
impl Buckets for SharedBuckets {
    async fn take(&self, policy: &Policy, caller: &str, now: Instant) -> Taken {
        match self.spend(policy, caller).await {
            Some(taken) => taken,
            None => self.local.take(policy, caller, now).await,
        }
    }
}
