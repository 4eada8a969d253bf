//! The pool of a lane makes attempts at claimed jobs. A slot is the right to make one attempt; each gateway has a
//! limited number of slots. The pool runs one task per busy slot, a *runner*. The settler writes the results of
//! attempts to the database. A runner takes its next job only after the settler has accepted the result of the last
//! one. So a slow database or gateway cannot make jobs pile up in memory.
//!
//! Claiming one job costs the database nearly as much as claiming a hundred. So while a gateway answers quickly, more
//! jobs are claimed than there are slots: as many as should begin within [`AHEAD`]. A job that waits too long for its
//! slot is put back untried, well before its lease ends.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc};

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;
use crate::kill_point::{self, Boundary};
use crate::lifecycle::Tasks;
use crate::metrics::attempts::Attempts;
use crate::metrics::lanes;
use crate::queue::heartbeat::LaneHeartbeat;
use crate::store::jobs::{Claimed, Ending};
use crate::trace::Span;
use crate::worker::attempts::{Conclusion, Contact, Progress, broken_off};
use crate::worker::jobs::{self, Plan, PlannedJob};
use crate::worker::pool::breaker::Breaker;
use crate::worker::pool::settler::{AnsweredRing, EndedAttempt};
use crate::worker::pool::shared_breaker::{Permit, SharedBreaker};
use crate::worker::workshop::Workshop;

/// The time within which every claimed job should get a slot (the right to make an attempt). It limits how many jobs
/// are claimed in advance.
const AHEAD: Duration = Duration::from_millis(250);
/// The maximum number of claimed jobs that wait for a slot.
const AHEAD_AT_MOST: usize = 512;

pub struct LanePool {
    workshop: Arc<Workshop>,
    lane: Lane,
    slots: usize,
    state: Mutex<PoolState>,
    /// Notified when a runner (a task that makes attempts) takes a job or ends.
    taken: Notify,
    /// The smoothed duration of an attempt, in microseconds; 0 until the first attempt has ended.
    usual: AtomicU64,
    /// The number of attempts that have ended since the start.
    ended: AtomicU64,
    breaker: SharedBreaker,
    started: Stopwatch,
    settler: mpsc::Sender<EndedAttempt>,
    counts: Attempts,
}

#[derive(Default)]
struct PoolState {
    waiting: VecDeque<WaitingJob>,
    runners: usize,
}

/// A claimed job that waits for a slot, which is the right to make an attempt.
pub struct WaitingJob {
    pub planned: PlannedJob,
    /// The stream entry that announced the job.
    pub entry: String,
    /// Dropped when the attempt ends. If a trial call of the circuit breaker gave no result, the drop permits another
    /// trial call.
    pub permit: Arc<Permit>,
}

impl LanePool {
    pub fn new(workshop: Arc<Workshop>, lane: Lane, slots: usize, settler: mpsc::Sender<EndedAttempt>) -> Self {
        Self {
            workshop,
            counts: Attempts::of(lane.as_str()),
            lane,
            slots,
            state: Mutex::default(),
            taken: Notify::new(),
            usual: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            breaker: SharedBreaker::default(),
            started: Stopwatch::start(),
            settler,
        }
    }

    /// Waits until the pool can take enough jobs to make a claim worthwhile. Returns how many jobs it can take.
    pub async fn room(&self) -> usize {
        loop {
            let room = self.room_now();
            // Few large claims cost less than many small ones.
            if room > self.ahead() / 2 {
                return room;
            }
            self.taken.notified().await;
        }
    }

    /// Returns how many jobs can be claimed now.
    pub fn room_now(&self) -> usize {
        let state = self.state();
        let held = state.waiting.len() + state.runners;
        drop(state);
        (self.slots + self.ahead()).saturating_sub(held)
    }

    /// A permit to begin up to `wanted` jobs; `None` while the gateway's circuit breaker is open.
    #[must_use]
    pub fn permit(&self, wanted: usize) -> Option<Permit> {
        self.breaker.permit(wanted, self.started.elapsed())
    }

    pub const fn counts(&self) -> &Attempts {
        &self.counts
    }

    /// Returns the lane's state for the worker's heartbeat, and updates the lane's metrics. `ended_before` is the
    /// number of attempts that had ended at the last call; this call updates it. `elapsed` is the time since the last
    /// call.
    pub fn heartbeat(&self, ended_before: &mut u64, elapsed: Duration) -> LaneHeartbeat {
        let lane = self.lane.to_string();
        let breaker = self.breaker.state().name();
        let busy = self.state().runners;
        lanes::set_status(&lane, self.slots, busy, breaker);
        let ended = self.ended.load(Ordering::Relaxed);
        let new = ended.saturating_sub(std::mem::replace(ended_before, ended));
        let per_second = new as f64 / elapsed.as_secs_f64().max(0.001);
        LaneHeartbeat { lane, breaker: breaker.to_owned(), slots: self.slots, busy, per_second }
    }

    /// Returns how many jobs can be claimed in advance, to wait for a slot (the right to make an attempt): none while
    /// the gateway is slow or does not answer.
    fn ahead(&self) -> usize {
        let usual = self.usual.load(Ordering::Relaxed);
        if usual == 0 || self.breaker.state() != Breaker::Closed {
            return 0;
        }
        let rounds = AHEAD.as_micros() as u64 / usual;
        self.slots.saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX)).min(AHEAD_AT_MOST)
    }

    /// Queues a claimed job. A runner attempts it as soon as a slot is free, and passes the result to the settler.
    pub fn start(self: &Arc<Self>, tasks: &Tasks, job: WaitingJob) {
        let mut state = self.state();
        state.waiting.push_back(job);
        if state.runners < self.slots {
            state.runners += 1;
            tasks.spawn(Arc::clone(self).run());
        }
    }

    /// The task of a runner: makes one attempt after another, until no job waits.
    async fn run(self: Arc<Self>) {
        while let Some(WaitingJob { planned, entry, permit }) = self.next() {
            let job = planned.job.id();
            let settlement = self.attempt(planned).await.settlement;
            drop(permit);
            self.ended.fetch_add(1, Ordering::Relaxed);
            let ring = AnsweredRing { lane: self.lane.clone(), entry };
            if self.settler.send(EndedAttempt { settlement, ring }).await.is_err() {
                tracing::warn!(%job, "the settler is gone; the lease will end");
            }
        }
    }

    /// Takes the next waiting job for a runner. Returns `None` if no job waits; the runner must then end.
    fn next(&self) -> Option<WaitingJob> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.runners -= 1;
        }
        drop(state);
        self.taken.notify_one();
        next
    }

    async fn attempt(&self, PlannedJob { job, held_since, plan }: PlannedJob) -> Conclusion {
        if let Some(why) = self.not_now(held_since) {
            return Conclusion::plain(Ending::snooze(&job, Duration::ZERO, why.to_owned()), Contact::None);
        }
        let kind = plan.kind();
        let begun = Stopwatch::start();
        let span = Span::attempt(job.id(), kind, self.lane.as_str(), job.trace.as_deref());
        let conclusion = span.clone().scope(attempt(&self.workshop, &job, plan)).await;
        let took = begun.elapsed();
        let ending = &conclusion.settlement.ending;
        span.ended(ending.outcome().as_str(), ending.state());
        self.counts.ended(kind, ending.outcome().as_str(), ending.state(), took);
        self.record(conclusion.contact, took);
        conclusion
    }

    /// Returns the reason to put a job back untried, or `None` if its attempt may begin.
    fn not_now(&self, held_since: Stopwatch) -> Option<&'static str> {
        if held_since.elapsed() > self.workshop.settings.time_outs.wait_for_slot() {
            return Some("it waited too long for a slot");
        }
        let open = matches!(self.breaker.state(), Breaker::Open { .. });
        open.then_some("the breaker of its gateway is open")
    }

    fn record(&self, contact: Contact, took: Duration) {
        self.breaker.record(contact, self.started.elapsed());
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let usual = self.usual.load(Ordering::Relaxed);
        let smoothed = if usual == 0 { took } else { usual - usual / 8 + took / 8 };
        self.usual.store(smoothed.max(1), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one attempt with a time limit. A panic ends only the attempt.
async fn attempt(workshop: &Workshop, job: &Claimed, plan: Plan) -> Conclusion {
    let progress = Progress::default();
    let work = AssertUnwindSafe(jobs::run(workshop, job, plan, &progress)).catch_unwind();
    match within(workshop.settings.time_outs.attempt, work).await {
        Some(Ok(conclusion)) => {
            kill_point::pass(Boundary::Called, job.lane_name());
            conclusion
        }
        Some(Err(_)) => broken_off(workshop, job, &progress, "the job panicked", Contact::None),
        None => broken_off(workshop, job, &progress, "the attempt took too long", Contact::Silent),
    }
}

/// Returns the output of `work`, or `None` after `limit`. The clock is also checked before every poll of `work`: if the
/// process was suspended, timers fire late, and another worker may hold the job by then.
async fn within<W: Future>(limit: Duration, work: W) -> Option<W::Output> {
    let since = Stopwatch::start();
    let mut work = pin!(work);
    let step = poll_fn(|context| match since.elapsed() < limit {
        true => work.as_mut().poll(context).map(Some),
        false => Poll::Ready(None),
    });
    tokio::time::timeout(limit, step).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_that_was_stopped_does_nothing_more() {
        let limit = Duration::from_millis(20);
        assert_eq!(within(limit, async { "done" }).await, Some("done"));
        let mut went_on = false;
        let stopped = async {
            std::thread::sleep(2 * limit);
            tokio::task::yield_now().await;
            went_on = true;
        };
        assert_eq!(within(limit, stopped).await, None);
        assert!(!went_on, "another worker may hold the job by now");
    }
}
