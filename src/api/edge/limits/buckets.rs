//! The buckets of callers, shared by all processes through Redis without a request that waits for it.
//!
//! A process counts by itself and tells Redis a moment later, of many callers at once. The answer, in which the requests of
//! all processes are counted, then takes the place of what the process believed. So a caller who asks several processes
//! gets a little more through than its quota, but of each process no more than a [`SHARE`] of it: beyond that the process
//! asks Redis first. What was too much is owed, so in the long run nobody gets more than their rate.
//!
//! While Redis is away each process goes on counting for itself: a limit protects the service, so its absence must not
//! stop it.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::api::edge::limits::bucket::{Bucket, Policy, Taken};
use crate::api::edge::limits::callers::Callers;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::queue::quota::Quota;
use crate::queue::{Queue, QueueError};

/// The part of a quota that a process lets through before Redis knows of it: one twentieth. Of a quota that is smaller
/// than that, each request is counted in Redis first.
const SHARE: u32 = 20;
/// How long requests are gathered before Redis is told.
const GATHER: Duration = Duration::from_millis(100);
/// How long a process leaves Redis alone that did not answer.
const REST: Duration = Duration::from_secs(1);
/// How many callers Redis is told of at the same time.
const AT_ONCE: usize = 64;

/// The buckets.
pub struct Buckets {
    queue: Queue,
    clock: Clock,
    patience: Duration,
    accounts: Mutex<Accounts>,
    news: Notify,
    /// Whether Redis did not answer when it was last asked.
    is_away: AtomicBool,
}

struct Accounts {
    callers: Callers<Account>,
    /// Callers of whom Redis is to be told, each once a round.
    to_tell: Vec<(Policy, String)>,
    round: u64,
}

/// What this process knows of a caller.
struct Account {
    bucket: Bucket,
    /// Requests let through that Redis was not told of.
    untold: u32,
    /// The last round for which it was listed to be told of.
    listed_in: u64,
}

impl Buckets {
    /// Buckets by a steady clock, with room for so many callers in this process. Where a request must wait for Redis, it waits as long as
    /// `patience` lasts.
    #[must_use]
    pub fn new(queue: Queue, clock: Clock, callers: usize, patience: Duration) -> Self {
        let accounts = Accounts { callers: Callers::new(callers), to_tell: Vec::new(), round: 1 };
        let (accounts, news, is_away) = (Mutex::new(accounts), Notify::new(), AtomicBool::new(false));
        Self { queue, clock, patience, accounts, news, is_away }
    }

    /// Takes one request out of a caller's bucket.
    pub async fn take(&self, policy: &Policy, caller: &str) -> Taken {
        match self.take_here(policy, caller) {
            Some(taken) => taken,
            None => self.take_there(policy, caller).await,
        }
    }

    /// Counts a request in this process; `None` if Redis must be asked first.
    fn take_here(&self, policy: &Policy, caller: &str) -> Option<Taken> {
        let (now, share) = (self.clock.now(), policy.quota / SHARE);
        let mut accounts = self.lock();
        let round = accounts.round;
        let account = accounts.of(policy, caller, now);
        if account.untold >= share && !self.is_away() {
            return None;
        }
        let taken = account.bucket.take(policy, now);
        account.untold = share.min(account.untold + u32::from(taken.allowed));
        let is_listed = std::mem::replace(&mut account.listed_in, round) == round;
        if !is_listed {
            accounts.to_tell.push((policy.clone(), caller.to_owned()));
            self.news.notify_one();
        }
        Some(taken)
    }

    /// Counts a request in Redis; here, if that does not answer.
    async fn take_there(&self, policy: &Policy, caller: &str) -> Taken {
        let (quota, untold) = (quota(policy, caller), self.untold(policy, caller));
        let spend = self.queue.spend(&quota, untold);
        match self.heard(tokio::time::timeout(self.patience, spend).await.ok()) {
            Some(spent) => {
                self.correct(policy, caller, spent.full_in);
                policy.taken(spent.allowed, spent.full_in)
            }
            None => self.lock().of(policy, caller, self.clock.now()).bucket.take(policy, self.clock.now()),
        }
    }

    /// Tells Redis what this process lets through, until `stop`.
    pub async fn tell(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.news.notified()).await.is_some() {
            tokio::time::sleep(if self.is_away() { REST } else { GATHER }).await;
            let mut listed = self.lock().next_round().into_iter();
            // The first finds out whether Redis is there; if not, the others need not wait for it.
            if let Some((policy, caller)) = listed.next()
                && self.tell_of(&policy, &caller).await
            {
                let tell = |(policy, caller): (Policy, String)| async move { self.tell_of(&policy, &caller).await };
                stream::iter(listed).map(tell).buffer_unordered(AT_ONCE).for_each(|_| ready(())).await;
            }
        }
    }

    /// Tells of one caller; says whether Redis answered.
    async fn tell_of(&self, policy: &Policy, caller: &str) -> bool {
        let told = self.queue.tell_spent(&quota(policy, caller), self.untold(policy, caller)).await;
        let heard = self.heard(Some(told));
        if let Some(full_in) = heard {
            self.correct(policy, caller, full_in);
        }
        heard.is_some()
    }

    /// What Redis was not told of a caller. It counts as told from now on: where telling fails it is forgotten.
    fn untold(&self, policy: &Policy, caller: &str) -> u32 {
        std::mem::take(&mut self.lock().of(policy, caller, self.clock.now()).untold)
    }

    /// Puts what Redis says in the place of what this process believed.
    fn correct(&self, policy: &Policy, caller: &str, full_in: Duration) {
        let now = self.clock.now();
        let mut accounts = self.lock();
        let account = accounts.of(policy, caller, now);
        // What was let through meanwhile is not in it.
        account.bucket = Bucket::full_at(now + full_in + policy.each() * account.untold);
    }

    /// What Redis answered, if it did in time. Logs where an outage begins and ends.
    fn heard<T>(&self, answer: Option<Result<T, QueueError>>) -> Option<T> {
        let (heard, error) = match answer {
            Some(Ok(heard)) => (Some(heard), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, Some("no answer in time".to_owned())),
        };
        match (self.is_away.swap(heard.is_none(), Ordering::Relaxed), error) {
            (false, Some(error)) => tracing::warn!(error, "Redis is away: each process counts requests for itself"),
            (true, None) => tracing::info!("requests are counted for all processes together again"),
            _ => {}
        }
        heard
    }

    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    fn of(&mut self, policy: &Policy, caller: &str, now: Instant) -> &mut Account {
        self.callers.of(policy, caller, || Account { bucket: Bucket::full_at(now), untold: 0, listed_in: 0 })
    }

    /// Those who are listed; a new list is begun.
    fn next_round(&mut self) -> Vec<(Policy, String)> {
        self.round += 1;
        std::mem::take(&mut self.to_tell)
    }
}

fn quota<'a>(policy: &Policy, caller: &'a str) -> Quota<'a> {
    Quota { name: policy.name, caller, each: policy.each(), window: policy.window }
}
