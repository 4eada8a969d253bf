//! The floor of a lane: where claimed jobs wait for one of the gateway's slots, and are attempted.
//!
//! Claiming one job costs the database nearly as much as claiming a hundred. So while a gateway answers quickly, jobs
//! are claimed ahead of its slots: as many as will surely be begun within a moment, and none while it is slow or silent.
//! What waited too long after all is put back untried, well before its lease ends.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore, mpsc};

use super::breaker::Breaker;
use super::jobs::{Begun, Plan};
use super::settler::Ended;
use super::verdict::{Conclusion, Contact, again_or_dead};
use super::{Workshop, jobs};
use crate::casework::jobs::{Effect, Settlement};
use crate::domain::clock::Stopwatch;
use crate::domain::job::Lane;
use crate::kill_point::{self, Step};
use crate::lifecycle::Tasks;
use crate::store::jobs::{Claimed, Ending};

/// For how long jobs may be expected to wait for a slot.
const AHEAD: Duration = Duration::from_millis(250);
/// How many jobs may wait for slots, however quick the gateway is.
const AHEAD_AT_MOST: usize = 512;

/// Where the jobs of one lane are attempted.
pub struct Floor {
    workshop: Arc<Workshop>,
    lane: Lane,
    slots: Arc<Semaphore>,
    slot_count: usize,
    held: AtomicUsize,
    ended: Notify,
    /// How long an attempt usually takes, in microseconds; zero until one was made.
    usual: AtomicU64,
    /// How many attempts came to their end.
    finished: AtomicU64,
    breaker: Mutex<Breaker>,
    started: Stopwatch,
    settler: mpsc::Sender<Ended>,
}

/// How a floor stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its lane.
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
            lane,
            slots: Arc::new(Semaphore::new(slots)),
            slot_count: slots,
            held: AtomicUsize::new(0),
            ended: Notify::new(),
            usual: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            breaker: Mutex::default(),
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
            self.ended.notified().await;
        }
    }

    /// How many jobs may be claimed now.
    pub fn room_now(&self) -> usize {
        (self.slot_count + self.ahead()).saturating_sub(self.held.load(Ordering::Relaxed))
    }

    /// How many of `wanted` jobs the breaker lets through.
    pub fn admit(&self, wanted: usize) -> usize {
        self.with_breaker(|breaker, now| breaker.admit(wanted, now))
    }

    /// The job that the breaker let through to try the gateway turned out to be none.
    pub fn nothing_tried(&self) {
        self.with_breaker(|breaker, now| ((), breaker.not_tried(now)));
    }

    /// How it stands, for people's eyes.
    pub fn standing(&self) -> Standing {
        Standing {
            lane: self.lane.clone(),
            breaker: self.with_breaker(|breaker, _| (breaker, breaker)),
            slots: self.slot_count,
            busy: self.slot_count.saturating_sub(self.slots.available_permits()),
            ended: self.finished.load(Ordering::Relaxed),
        }
    }

    /// How many jobs may wait for a slot.
    fn ahead(&self) -> usize {
        let usual = self.usual.load(Ordering::Relaxed);
        let calm = self.with_breaker(|breaker, _| (breaker == Breaker::Closed, breaker));
        if usual == 0 || !calm {
            return 0;
        }
        let rounds = AHEAD.as_micros() as u64 / usual;
        self.slot_count.saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX)).min(AHEAD_AT_MOST)
    }

    /// Attempts a job as soon as there is a slot for it, and hands its end to the settler.
    pub fn start(self: &Arc<Self>, tasks: &Tasks, begun: Begun, entry: String) {
        let floor = Arc::clone(self);
        floor.held.fetch_add(1, Ordering::Relaxed);
        tasks.spawn(async move {
            let Ok(slot) = Arc::clone(&floor.slots).acquire_owned().await else { return };
            let job = begun.job.id();
            let conclusion = floor.attempt(begun).await;
            drop(slot);
            floor.held.fetch_sub(1, Ordering::Relaxed);
            floor.finished.fetch_add(1, Ordering::Relaxed);
            floor.ended.notify_one();
            let ended = Ended { settlement: conclusion.settlement, lane: floor.lane.clone(), entry };
            if floor.settler.send(ended).await.is_err() {
                tracing::warn!(%job, "the settler is gone; the lease will end");
            }
        });
    }

    async fn attempt(&self, Begun { job, since, plan }: Begun) -> Conclusion {
        if let Some(why) = self.not_now(since) {
            return Conclusion::plain(Ending::snooze(&job, Duration::ZERO, why.to_owned()), Contact::None);
        }
        let begun = Stopwatch::start();
        let conclusion = attempt(&self.workshop, &job, plan).await;
        self.note(conclusion.contact, begun.elapsed());
        conclusion
    }

    /// Why a job that has its slot is put back untried.
    fn not_now(&self, held_since: Stopwatch) -> Option<&'static str> {
        if held_since.elapsed() > self.workshop.settings.wait_for_slot() {
            return Some("it waited too long for a slot");
        }
        let open = self.with_breaker(|breaker, _| (matches!(breaker, Breaker::Open { .. }), breaker));
        open.then_some("the gateway is left alone for a while")
    }

    fn note(&self, contact: Contact, took: Duration) {
        self.with_breaker(|breaker, now| match contact {
            Contact::None => ((), breaker.not_tried(now)),
            Contact::Answered => ((), breaker.answered()),
            Contact::Silent => ((), breaker.failed(now)),
        });
        let (took, usual) = (u64::try_from(took.as_micros()).unwrap_or(u64::MAX), self.usual.load(Ordering::Relaxed));
        let smoothed = if usual == 0 { took } else { usual - usual / 8 + took / 8 };
        self.usual.store(smoothed.max(1), Ordering::Relaxed);
    }

    fn with_breaker<T>(&self, change: impl FnOnce(Breaker, Duration) -> (T, Breaker)) -> T {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, after) = change(*breaker, self.started.elapsed());
        *breaker = after;
        result
    }
}

/// One attempt: bounded in time, and no panic of a job is more than a failed attempt.
async fn attempt(workshop: &Workshop, job: &Claimed, plan: Plan) -> Conclusion {
    let work = AssertUnwindSafe(jobs::run(workshop, job, plan)).catch_unwind();
    match tokio::time::timeout(workshop.settings.attempt, work).await {
        Ok(Ok(conclusion)) => {
            kill_point::pass(Step::Called, job.lane_name());
            conclusion
        }
        Ok(Err(_)) => broken(workshop, job, "the job panicked"),
        Err(_) => broken(workshop, job, "the attempt took too long"),
    }
}

/// An attempt that ended somewhere in the middle: what it did outside, nobody knows.
fn broken(workshop: &Workshop, job: &Claimed, why: &str) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, why, "an attempt broke");
    let settings = &workshop.settings;
    let ending = again_or_dead(job, &settings.retry, Some(settings.clear_up_after), "broken", why.to_owned());
    let ending = ending.with_unclear(job.unclear.saturating_add(1));
    Conclusion { settlement: Settlement { ending, effect: Effect::None }, contact: Contact::Silent }
}
