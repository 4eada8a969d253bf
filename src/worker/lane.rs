//! A lane: the jobs before one gateway, with its slots, its rate and its breaker.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::breaker::Breaker;
use super::settler::Ended;
use super::verdict::{Conclusion, Contact, again_or_dead};
use super::{Workshop, jobs};
use crate::casework::jobs::{Effect, Settlement};
use crate::domain::clock::Stopwatch;
use crate::domain::ids::JobId;
use crate::domain::job::{Lane, Offer};
use crate::domain::pace::Pace;
use crate::kill_point::{self, Step};
use crate::lifecycle::Tasks;
use crate::queue::streams::{Reader, Ring};
use crate::store::jobs::Claimed;

/// How long one read waits for a ring. Also how long a stop may have to wait for a lane.
const LISTEN: Duration = Duration::from_secs(1);
/// The pause after something that will not be better at once.
const PAUSE: Duration = Duration::from_millis(200);

/// Works a lane until the process stops.
pub async fn run(workshop: Arc<Workshop>, lane: Lane, pace: Pace, settler: mpsc::Sender<Ended>, tasks: Tasks) {
    let stop = tasks.stopping();
    let mut reader = workshop.queue.reader(lane.clone(), &workshop.name);
    let floor = Floor {
        slots: Arc::new(Semaphore::new(pace.slots)),
        pace,
        breaker: Arc::default(),
        started: Stopwatch::start(),
        workshop,
        lane,
        settler,
        tasks,
    };
    let mut since_take_over = Stopwatch::start();
    while !stop.is_cancelled() {
        floor.workshop.pulse.beat(&floor.lane);
        if since_take_over.elapsed() > floor.workshop.settings.lease / 3 {
            since_take_over = Stopwatch::start();
            floor.take_over(&stop).await;
        }
        let Some(room) = floor.room(&stop).await else { continue };
        let Some(rings) = listen(&mut reader, room, &stop).await else { continue };
        floor.answer(rings, &stop).await;
    }
    reader.leave().await;
}

/// Waits for rings; `None` when there is nothing to do.
async fn listen(reader: &mut Reader, room: usize, stop: &CancellationToken) -> Option<Vec<Ring>> {
    match stop.run_until_cancelled(reader.read(room, LISTEN)).await? {
        Ok(rings) if rings.is_empty() => None,
        Ok(rings) => Some(rings),
        Err(error) => {
            tracing::debug!(%error, "no rings are heard while Redis is away");
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            None
        }
    }
}

/// Where the jobs of a lane are done.
struct Floor {
    workshop: Arc<Workshop>,
    lane: Lane,
    pace: Pace,
    slots: Arc<Semaphore>,
    breaker: Arc<Mutex<Breaker>>,
    started: Stopwatch,
    settler: mpsc::Sender<Ended>,
    tasks: Tasks,
}

impl Floor {
    /// How many jobs may be begun now; waits a little when none may.
    async fn room(&self, stop: &CancellationToken) -> Option<usize> {
        let free = stop.run_until_cancelled(Arc::clone(&self.slots).acquire_owned()).await?.ok()?;
        let wanted = self.slots.available_permits() + 1;
        drop(free);
        let admitted = self.with_breaker(|breaker, now| breaker.admit(wanted, now));
        if admitted == 0 {
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            return None;
        }
        Some(admitted)
    }

    /// Begins the jobs that were rung for, as fast as the gateway's rate allows.
    async fn answer(&self, mut rings: Vec<Ring>, stop: &CancellationToken) {
        while !rings.is_empty() {
            let queue = &self.workshop.queue;
            let allowed = queue.take(&self.lane, self.pace, rings.len()).await.unwrap_or(rings.len());
            let begun = self.begin(rings.drain(..allowed.min(rings.len())).collect()).await;
            // Rings for what is done or held must not slow down what waits behind them.
            if begun < allowed && queue.give_back(&self.lane, self.pace, allowed - begun).await.is_err() {
                tracing::debug!(lane = %self.lane, "the rate is not given back while Redis is away");
            }
            if !rings.is_empty() && stop.run_until_cancelled(tokio::time::sleep(PAUSE / 10)).await.is_none() {
                return self.ring_again(rings).await;
            }
        }
    }

    /// Claims jobs and starts those that were free, and says how many. A ring for a job that is done or held is
    /// acknowledged and forgotten.
    async fn begin(&self, rings: Vec<Ring>) -> usize {
        if rings.is_empty() {
            return 0;
        }
        kill_point::pass(Step::Heard);
        let ids: Vec<JobId> = rings.iter().filter_map(|ring| ring.job).collect();
        let settings = &self.workshop.settings;
        let mut claimed = match self.workshop.casework.claim(&ids, &self.workshop.name, settings.lease).await {
            Ok(claimed) => claimed,
            Err(error) => {
                // The entries stay: they are taken over when the database is back.
                tracing::warn!(%error, lane = %self.lane, "cannot claim jobs");
                self.with_breaker(|breaker, now| ((), breaker.not_tried(now)));
                tokio::time::sleep(PAUSE).await;
                return 0;
            }
        };
        if claimed.is_empty() {
            self.with_breaker(|breaker, now| ((), breaker.not_tried(now)));
        }
        let begun = claimed.len();
        let mut forgotten = Vec::new();
        for ring in rings {
            // Taken out, so that a job that was rung for twice is started once.
            match claimed.iter().position(|job| Some(job.id()) == ring.job) {
                Some(at) => self.start(claimed.swap_remove(at), ring.entry).await,
                None => forgotten.push(ring.entry),
            }
        }
        if let Err(error) = self.workshop.queue.acknowledge(&self.lane, &forgotten).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be found to be done");
        }
        begun
    }

    async fn start(&self, job: Claimed, entry: String) {
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
        let (workshop, lane, settler) = (Arc::clone(&self.workshop), self.lane.clone(), self.settler.clone());
        let (breaker, started) = (Arc::clone(&self.breaker), self.started);
        self.tasks.spawn(async move {
            let conclusion = attempt(&workshop, &job).await;
            note_contact(&breaker, conclusion.contact, started.elapsed());
            drop(slot);
            let ended = Ended { settlement: conclusion.settlement, lane, entry };
            if settler.send(ended).await.is_err() {
                tracing::warn!(job = %job.id(), "the settler is gone; the lease will end");
            }
        });
    }

    /// Takes over what others left behind.
    async fn take_over(&self, stop: &CancellationToken) {
        let idle = self.workshop.settings.lease;
        let room = self.slots.available_permits();
        if room == 0 {
            return;
        }
        match self.workshop.queue.take_over(&self.lane, &self.workshop.name, idle, room).await {
            Ok(rings) => self.answer(rings, stop).await,
            Err(error) => tracing::debug!(%error, lane = %self.lane, "nothing is taken over while Redis is away"),
        }
    }

    /// Gives rings back that this process will not answer any more, because it stops.
    async fn ring_again(&self, rings: Vec<Ring>) {
        let offer = |job| Offer { job, lane: self.lane.clone() };
        let offers: Vec<Offer> = rings.iter().filter_map(|ring| ring.job).map(offer).collect();
        let entries: Vec<String> = rings.into_iter().map(|ring| ring.entry).collect();
        if self.workshop.queue.offer(&offers).await.is_ok() {
            let _ = self.workshop.queue.acknowledge(&self.lane, &entries).await;
        }
    }

    fn with_breaker<T>(&self, change: impl FnOnce(Breaker, Duration) -> (T, Breaker)) -> T {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, after) = change(*breaker, self.started.elapsed());
        *breaker = after;
        result
    }
}

fn note_contact(breaker: &Mutex<Breaker>, contact: Contact, now: Duration) {
    let mut breaker = breaker.lock().unwrap_or_else(PoisonError::into_inner);
    *breaker = match contact {
        Contact::None => breaker.not_tried(now),
        Contact::Answered => breaker.answered(),
        Contact::Silent => breaker.failed(now),
    };
}

/// One attempt: bounded in time, and no panic of a job is more than a failed attempt.
async fn attempt(workshop: &Workshop, job: &Claimed) -> Conclusion {
    let settings = &workshop.settings;
    kill_point::pass(Step::Claimed);
    let work = AssertUnwindSafe(jobs::run(workshop, job)).catch_unwind();
    match tokio::time::timeout(settings.attempt, work).await {
        Ok(Ok(conclusion)) => {
            kill_point::pass(Step::Called);
            conclusion
        }
        Ok(Err(_)) => broken(job, settings, "the job panicked"),
        Err(_) => broken(job, settings, "the attempt took too long"),
    }
}

/// An attempt that ended somewhere in the middle: what it did outside, nobody knows.
fn broken(job: &Claimed, settings: &super::WorkerSettings, why: &str) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, why, "an attempt broke");
    let ending = again_or_dead(job, &settings.retry, Some(settings.clear_up_after), "broken", why.to_owned());
    let ending = ending.with_unclear(job.unclear.saturating_add(1));
    Conclusion { settlement: Settlement { ending, effect: Effect::None }, contact: Contact::Silent }
}
