//! Rate-limit quotas that all processes share through Redis. Most requests do not wait for Redis.
//!
//! A process counts the requests that it allows, and reports the counts to Redis a moment later. Redis replies with the
//! caller's state over all processes, which replaces the state in this process. A process allows only a small part of a
//! quota ([`SHARE`]) before it reports; after that, it asks Redis before each request. So a caller that uses several
//! processes can exceed its quota a little, but the excess counts against its next requests.
//!
//! While Redis is unavailable, each process counts for itself: rate limits must not stop the service.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::api::edge::limits::callers::Callers;
use crate::api::edge::limits::gcra::{Gcra, RateDecision, RatePolicy};
use crate::domain::kernel::clock::{Clock, Instant};
use crate::queue::limiter::Quota;
use crate::queue::{Queue, QueueError};

/// A process allows at most one twentieth of a quota before it reports to Redis. If the quota is below 20, that is less
/// than one request, so each request is counted in Redis first.
const SHARE: u32 = 20;
/// The time from the first unreported request to the report, so that one report covers many requests.
const GATHER: Duration = Duration::from_millis(100);
/// The wait that replaces [`GATHER`] while Redis fails.
const REST: Duration = Duration::from_secs(1);
/// The number of callers whose counts are reported concurrently.
const AT_ONCE: usize = 64;

pub struct Quotas {
    queue: Queue,
    clock: Clock,
    /// How long a request waits for Redis, if Redis must decide on the request.
    time_out: Duration,
    accounts: Mutex<Accounts>,
    /// Wakes [`Quotas::report`] when there are counts to report.
    news: Notify,
    /// True if the last call to Redis failed.
    is_away: AtomicBool,
}

struct Accounts {
    callers: Callers<Account>,
    /// The callers whose counts the next report sends to Redis. Each caller is listed once.
    unreported: Vec<Reported>,
    /// The number of the current round. A round lasts from one report to the next, and is the time in which
    /// [`Accounts::unreported`] is filled.
    round: u64,
}

/// A caller whose count must be reported to Redis.
struct Reported {
    policy: RatePolicy,
    caller: String,
}

/// The state of a caller in this process.
struct Account {
    state: Gcra,
    /// The number of requests that this process allowed and has not reported yet.
    unreported: u32,
    /// The number of the last round in which the caller was added to [`Accounts::unreported`]. It prevents a second
    /// entry in the same round, which lasts from one report to the next.
    listed_in: u64,
}

impl Quotas {
    /// `clock` must be monotonic. This process remembers at most twice as many callers as `callers`.
    pub fn new(queue: Queue, clock: Clock, callers: usize, time_out: Duration) -> Self {
        let accounts = Mutex::new(Accounts { callers: Callers::new(callers), unreported: Vec::new(), round: 1 });
        Self { queue, clock, time_out, accounts, news: Notify::new(), is_away: AtomicBool::new(false) }
    }

    /// Decides on a request of a caller, and counts it if it is allowed.
    pub async fn take(&self, policy: &RatePolicy, caller: &str) -> RateDecision {
        match self.take_here(policy, caller) {
            Some(decision) => decision,
            None => self.take_shared(policy, caller).await,
        }
    }

    /// Decides in this process alone. Returns `None` if Redis must be asked first.
    fn take_here(&self, policy: &RatePolicy, caller: &str) -> Option<RateDecision> {
        let now = self.clock.now();
        let share = policy.quota / SHARE;
        let mut accounts = self.lock();
        let round = accounts.round;
        let account = accounts.of(policy, caller, now);
        if account.unreported >= share && !self.is_away() {
            return None;
        }
        let decision = account.state.take(policy, now);
        account.unreported = share.min(account.unreported + u32::from(decision.allowed));
        let is_listed = std::mem::replace(&mut account.listed_in, round) == round;
        if !is_listed {
            accounts.unreported.push(Reported { policy: policy.clone(), caller: caller.to_owned() });
            self.news.notify_one();
        }
        Some(decision)
    }

    /// Decides in Redis, or in this process if Redis does not reply in time.
    async fn take_shared(&self, policy: &RatePolicy, caller: &str) -> RateDecision {
        let quota = quota(policy, caller);
        let spend = self.queue.spend(&quota, self.unreported(policy, caller));
        match self.heard(tokio::time::timeout(self.time_out, spend).await.ok()) {
            Some(spent) => {
                self.correct(policy, caller, spent.full_in);
                policy.decision(spent.allowed, spent.full_in)
            }
            None => self.lock().of(policy, caller, self.clock.now()).state.take(policy, self.clock.now()),
        }
    }

    /// Waits for unreported requests and reports their counts to Redis, again and again, until `stop` is cancelled.
    pub async fn report(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.news.notified()).await.is_some() {
            tokio::time::sleep(if self.is_away() { REST } else { GATHER }).await;
            let mut listed = self.lock().next_round().into_iter();
            // If Redis does not reply to the report of the first caller, the counts of the other callers are not sent:
            // their reports would fail too.
            if let Some(first) = listed.next()
                && self.report_one(&first).await
            {
                let report = |reported: Reported| async move { self.report_one(&reported).await };
                stream::iter(listed).map(report).buffer_unordered(AT_ONCE).for_each(|_| ready(())).await;
            }
        }
    }

    /// Reports the count of one caller to Redis. Returns true if Redis replied.
    async fn report_one(&self, Reported { policy, caller }: &Reported) -> bool {
        let answer = self.queue.charge(&quota(policy, caller), self.unreported(policy, caller)).await;
        let heard = self.heard(Some(answer));
        if let Some(full_in) = heard {
            self.correct(policy, caller, full_in);
        }
        heard.is_some()
    }

    /// Returns the number of unreported requests of a caller, and resets it to zero. If the report then fails, Redis
    /// never counts these requests.
    fn unreported(&self, policy: &RatePolicy, caller: &str) -> u32 {
        std::mem::take(&mut self.lock().of(policy, caller, self.clock.now()).unreported)
    }

    /// Replaces the state of a caller in this process by the state in Redis.
    fn correct(&self, policy: &RatePolicy, caller: &str, full_in: Duration) {
        let now = self.clock.now();
        let mut accounts = self.lock();
        let account = accounts.of(policy, caller, now);
        // Adds the requests that this process has allowed since it reported: Redis does not know them yet.
        account.state = Gcra::full_at(now + full_in + policy.each() * account.unreported);
    }

    /// Unwraps the reply of Redis; `None` if Redis failed or replied too late. Logs the beginning and the end of an
    /// outage.
    fn heard<T>(&self, answer: Option<Result<T, QueueError>>) -> Option<T> {
        let (heard, error) = match answer {
            Some(Ok(heard)) => (Some(heard), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, Some("no answer in time".to_owned())),
        };
        match (self.is_away.swap(heard.is_none(), Ordering::Relaxed), error) {
            (false, Some(error)) => tracing::warn!(error, "Redis is away: each process counts requests for itself"),
            (true, None) => tracing::info!("Redis is back: requests are counted for all processes together"),
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
    fn of(&mut self, policy: &RatePolicy, caller: &str, now: Instant) -> &mut Account {
        self.callers.of(policy, caller, || Account { state: Gcra::full_at(now), unreported: 0, listed_in: 0 })
    }

    /// Returns the callers whose counts must be reported, empties the list of them, and begins the next round.
    fn next_round(&mut self) -> Vec<Reported> {
        self.round += 1;
        std::mem::take(&mut self.unreported)
    }
}

fn quota<'a>(policy: &RatePolicy, caller: &'a str) -> Quota<'a> {
    Quota { name: policy.name, caller, requests: policy.quota, window: policy.window }
}
