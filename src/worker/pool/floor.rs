//! The floor of a lane: where claimed jobs wait for one of the gateway's slots, and are attempted.
//!
//! As many hands work there as the gateway has slots, and as there are jobs to begin. A hand takes up the next job only
//! when the settler took over what it did before, so whatever is slow, what waits here does not grow.
//!
//! Claiming one job costs the database nearly as much as claiming a hundred. So while a gateway answers quickly, jobs
//! are claimed ahead of its slots: as many as will surely be begun within a moment, and none while it is slow or silent.
//! What waited too long after all is put back untried, well before its lease ends.

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
use crate::kill_point::{self, Step};
use crate::lifecycle::Tasks;
use crate::metrics::attempts::Attempts;
use crate::store::jobs::{Claimed, Ending};
use crate::trace::Span;
use crate::worker::jobs::{Begun, Plan};
use crate::worker::pool::attempt::{Outside, broken_off};
use crate::worker::pool::breaker::Breaker;
use crate::worker::pool::gate::{Gate, Leave};
use crate::worker::pool::settler::Ended;
use crate::worker::pool::verdict::{Conclusion, Contact};
use crate::worker::{Workshop, jobs};

/// For how long jobs may be expected to wait for a slot.
const AHEAD: Duration = Duration::from_millis(250);
/// How many jobs may wait for slots, however quick the gateway is.
const AHEAD_AT_MOST: usize = 512;

/// Where the jobs of one lane are attempted.
pub struct Floor {
    workshop: Arc<Workshop>,
    lane: Lane,
    slots: usize,
    desk: Mutex<Desk>,
    taken_up: Notify,
    /// How long an attempt usually takes, in microseconds; zero until one was made.
    usual: AtomicU64,
    /// How many attempts came to their end.
    finished: AtomicU64,
    gate: Gate,
    started: Stopwatch,
    settler: mpsc::Sender<Ended>,
    counts: Attempts,
}

/// What a floor has in hand.
#[derive(Default)]
struct Desk {
    /// Jobs that wait for a slot.
    waiting: VecDeque<InHand>,
    /// How many hands are at work.
    hands: usize,
}

/// A claimed job, until it ends.
struct InHand {
    begun: Begun,
    /// The stream entry that rang for it.
    entry: String,
    /// Held until then.
    leave: Arc<Leave>,
}

/// How a floor stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub lane: Lane,
    /// Whether calls may be made.
    pub breaker: Breaker,
    /// How many attempts can be made at once.
    pub slots: usize,
    /// How many are being made.
    pub busy: usize,
    /// How many came to their end so far.
    pub ended: u64,
}

impl Floor {
    /// An empty one.
    #[must_use]
    pub fn new(workshop: Arc<Workshop>, lane: Lane, slots: usize, settler: mpsc::Sender<Ended>) -> Self {
        Self {
            workshop,
            counts: Attempts::of(lane.as_str()),
            lane,
            slots,
            desk: Mutex::default(),
            taken_up: Notify::new(),
            usual: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            gate: Gate::default(),
            started: Stopwatch::start(),
            settler,
        }
    }

    /// Waits until it is worth claiming jobs, and says how many the slots and the wait before them bear.
    pub async fn room(&self) -> usize {
        loop {
            let room = self.room_now();
            // Few large claims cost less than many small ones.
            if room > self.ahead() / 2 {
                return room;
            }
            self.taken_up.notified().await;
        }
    }

    /// How many jobs may be claimed now.
    pub fn room_now(&self) -> usize {
        let desk = self.desk();
        let held = desk.waiting.len() + desk.hands;
        drop(desk);
        (self.slots + self.ahead()).saturating_sub(held)
    }

    /// Asks for leave to begin up to `wanted` jobs; `None` while the gateway is left alone.
    pub fn ask(&self, wanted: usize) -> Option<Leave> {
        self.gate.ask(wanted, self.started.elapsed())
    }

    /// What is counted of its attempts.
    pub const fn counts(&self) -> &Attempts {
        &self.counts
    }

    /// How it stands, for people's eyes.
    pub fn standing(&self) -> Standing {
        Standing {
            lane: self.lane.clone(),
            breaker: self.gate.breaker(),
            slots: self.slots,
            busy: self.desk().hands,
            ended: self.finished.load(Ordering::Relaxed),
        }
    }

    /// How many jobs may wait for a slot.
    fn ahead(&self) -> usize {
        let usual = self.usual.load(Ordering::Relaxed);
        if usual == 0 || self.gate.breaker() != Breaker::Closed {
            return 0;
        }
        let rounds = AHEAD.as_micros() as u64 / usual;
        self.slots.saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX)).min(AHEAD_AT_MOST)
    }

    /// Attempts a job as soon as there is a slot for it, and hands its end to the settler.
    pub fn start(self: &Arc<Self>, tasks: &Tasks, begun: Begun, entry: String, leave: Arc<Leave>) {
        let mut desk = self.desk();
        desk.waiting.push_back(InHand { begun, entry, leave });
        if desk.hands < self.slots {
            desk.hands += 1;
            tasks.spawn(Arc::clone(self).work());
        }
    }

    /// A hand: one job after the other, until none waits.
    async fn work(self: Arc<Self>) {
        while let Some(InHand { begun, entry, leave }) = self.take_up() {
            let job = begun.job.id();
            let settlement = self.attempt(begun).await.settlement;
            drop(leave);
            self.finished.fetch_add(1, Ordering::Relaxed);
            let ended = Ended { settlement, lane: self.lane.clone(), entry };
            if self.settler.send(ended).await.is_err() {
                tracing::warn!(%job, "the settler is gone; the lease will end");
            }
        }
    }

    /// The next job for a hand; `None` sends it home.
    fn take_up(&self) -> Option<InHand> {
        let mut desk = self.desk();
        let next = desk.waiting.pop_front();
        if next.is_none() {
            desk.hands -= 1;
        }
        drop(desk);
        self.taken_up.notify_one();
        next
    }

    async fn attempt(&self, Begun { job, since, plan }: Begun) -> Conclusion {
        if let Some(why) = self.not_now(since) {
            return Conclusion::plain(Ending::snooze(&job, Duration::ZERO, why.to_owned()), Contact::None);
        }
        let (kind, begun) = (plan.kind(), Stopwatch::start());
        let span = Span::attempt(job.id(), kind, self.lane.as_str(), job.trace.as_deref());
        let conclusion = span.clone().scope(attempt(&self.workshop, &job, plan)).await;
        let (took, ending) = (begun.elapsed(), &conclusion.settlement.ending);
        span.ended(ending.outcome(), ending.state());
        self.counts.ended(kind, ending.outcome(), ending.state(), took);
        self.note(conclusion.contact, took);
        conclusion
    }

    /// Why a job that has its slot is put back untried.
    fn not_now(&self, held_since: Stopwatch) -> Option<&'static str> {
        if held_since.elapsed() > self.workshop.settings.wait_for_slot() {
            return Some("it waited too long for a slot");
        }
        let open = matches!(self.gate.breaker(), Breaker::Open { .. });
        open.then_some("the gateway is left alone for a while")
    }

    fn note(&self, contact: Contact, took: Duration) {
        self.gate.heard(contact, self.started.elapsed());
        let (took, usual) = (u64::try_from(took.as_micros()).unwrap_or(u64::MAX), self.usual.load(Ordering::Relaxed));
        let smoothed = if usual == 0 { took } else { usual - usual / 8 + took / 8 };
        self.usual.store(smoothed.max(1), Ordering::Relaxed);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt: bounded in time, and no panic of a job is more than a failed attempt.
async fn attempt(workshop: &Workshop, job: &Claimed, plan: Plan) -> Conclusion {
    let outside = Outside::default();
    let work = AssertUnwindSafe(jobs::run(workshop, job, plan, &outside)).catch_unwind();
    match within(workshop.settings.attempt, work).await {
        Some(Ok(conclusion)) => {
            kill_point::pass(Step::Called, job.lane_name());
            conclusion
        }
        Some(Err(_)) => broken_off(workshop, job, &outside, "the job panicked", Contact::None),
        None => broken_off(workshop, job, &outside, "the attempt took too long", Contact::Silent),
    }
}

/// What work comes to, if it does in time. The timers of a process that was stopped and goes on are late by as long, so the
/// clock is asked before every step: an attempt whose job another may hold by now sends nothing more into the world.
async fn within<W: Future>(limit: Duration, work: W) -> Option<W::Output> {
    let (since, mut work) = (Stopwatch::start(), pin!(work));
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
    async fn whoever_was_stopped_does_nothing_more() {
        let limit = Duration::from_millis(20);
        assert_eq!(within(limit, async { "done" }).await, Some("done"));
        let mut went_on = false;
        let stopped = async {
            std::thread::sleep(2 * limit);
            tokio::task::yield_now().await;
            went_on = true;
        };
        assert_eq!(within(limit, stopped).await, None);
        assert!(!went_on, "by now, another may be at it");
    }
}
