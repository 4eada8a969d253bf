//! The loop of a lane (the queue of jobs for one gateway). It reads rings (the stream entries that announce jobs),
//! claims many jobs at a time, as fast as the gateway's rate allows, and passes them to the [`LanePool`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::kernel::ids::JobId;
use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::{Lane, Offer};
use crate::kill_point::{self, Boundary};
use crate::lifecycle::Tasks;
use crate::queue::streams::{Reader, Ring};
use crate::store::jobs::Claimed;
use crate::worker::jobs;
use crate::worker::pool::lane_pool::{LanePool, WaitingJob};
use crate::worker::pool::shared_breaker::Permit;
use crate::worker::workshop::Workshop;

/// The maximum wait in one read for rings (stream entries that announce jobs). A stop of the process waits for the
/// read, so it can take this long.
const LISTEN: Duration = Duration::from_secs(1);
/// The maximum number of jobs in one claim.
const CLAIM_AT_MOST: usize = 256;
/// How many times per lease a lane looks for stream entries that dead workers left. So the jobs of dead workers wait
/// only a little longer than a lease.
const LOOKS_PER_LEASE: u32 = 12;
/// The wait after a failure, and while the gateway's circuit breaker is open.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs a lane until the process stops.
pub async fn run(workshop: Arc<Workshop>, lane: Lane, pace: Pace, pool: Arc<LanePool>, tasks: Tasks) {
    let stop = tasks.stopping();
    let mut reader = workshop.queue.reader(lane.clone(), &workshop.name);
    let runner = LaneRunner { workshop, lane, pace, pool, tasks };
    let mut since_take_over = Stopwatch::start();
    while !stop.is_cancelled() {
        runner.workshop.health.beat(&runner.lane);
        if since_take_over.elapsed() > runner.workshop.settings.time_outs.lease / LOOKS_PER_LEASE {
            since_take_over = Stopwatch::start();
            runner.take_over(&stop).await;
        }
        let Some(permit) = runner.permit(&stop).await else { continue };
        let Some(rings) = listen(&mut reader, permit.jobs(), &stop).await else { continue };
        runner.answer(rings, permit, &stop).await;
    }
    reader.leave().await;
}

/// Waits for rings (stream entries that announce jobs); `None` if none comes in time. A stop of the process does not
/// cancel a read, because Redis may have assigned rings to this worker already.
async fn listen(reader: &mut Reader, room: usize, stop: &CancellationToken) -> Option<Vec<Ring>> {
    match reader.read(room, LISTEN).await {
        Ok(rings) if rings.is_empty() => None,
        Ok(rings) => Some(rings),
        Err(error) => {
            tracing::debug!(%error, "no rings are heard while Redis is away");
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            None
        }
    }
}

struct LaneRunner {
    workshop: Arc<Workshop>,
    lane: Lane,
    pace: Pace,
    pool: Arc<LanePool>,
    tasks: Tasks,
}

/// The result of claiming the jobs that some rings (stream entries) announce.
#[derive(Default)]
struct Begun {
    /// How many jobs were claimed.
    count: usize,
    /// The rings that are left because the claim reached its limit. Their jobs may still be free, so they need another
    /// claim.
    left: Vec<Ring>,
}

impl LaneRunner {
    /// Waits up to [`LISTEN`] until the pool can take more jobs, and returns a permit to begin jobs. `None` if the pool
    /// can take none, the gateway's circuit breaker is open, or the process stops.
    async fn permit(&self, stop: &CancellationToken) -> Option<Permit> {
        // With the time-out, the loop of the lane goes on and reports that it is alive, even while all slots are taken.
        let room = tokio::time::timeout(LISTEN, self.pool.room());
        let room = stop.run_until_cancelled(room).await?.ok()?;
        let permit = self.pool.permit(room.min(CLAIM_AT_MOST));
        if permit.is_none() {
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        permit
    }

    /// Begins the jobs that these rings (stream entries) announce, as fast as the gateway's rate allows. Only jobs that
    /// begin count against the rate. So rings for jobs that are finished, or that another worker holds, do not delay
    /// the jobs behind them.
    async fn answer(&self, mut rings: Vec<Ring>, permit: Permit, stop: &CancellationToken) {
        let permit = Arc::new(permit);
        while !rings.is_empty() {
            if stop.is_cancelled() {
                return self.ring_again(rings).await;
            }
            // At a slow rate this loop takes long. So the loop itself must report that the lane is alive.
            self.workshop.health.beat(&self.lane);
            let queue = &self.workshop.queue;
            let allowed = queue.take(&self.lane, self.pace, rings.len()).await.unwrap_or(rings.len());
            let mut count = 0;
            if allowed > 0 {
                Begun { count, left: rings } = self.begin(rings, allowed, &permit).await;
            }
            if count < allowed && queue.give_back(&self.lane, self.pace, allowed - count).await.is_err() {
                tracing::debug!(lane = %self.lane, "the rate is not given back while Redis is away");
            }
            if !rings.is_empty() {
                stop.run_until_cancelled(tokio::time::sleep(PAUSE / 10)).await;
            }
        }
    }

    /// Claims and starts up to `at_most` of the jobs that the rings (stream entries) announce. Rings for finished jobs,
    /// and for jobs of other workers, are acknowledged.
    async fn begin(&self, rings: Vec<Ring>, at_most: usize, permit: &Arc<Permit>) -> Begun {
        kill_point::pass(Boundary::Heard, self.lane.as_str());
        let since = Stopwatch::start();
        // If the database is unavailable, the entries stay on the stream. They are taken over when the database is
        // back.
        let Some(claimed) = self.claim(&rings, at_most).await else { return Begun::default() };
        let count = claimed.len();
        let planned = jobs::plan(&self.workshop, claimed, since).await;
        let mut planned: HashMap<JobId, _> = planned.into_iter().map(|planned| (planned.job.id(), planned)).collect();
        let mut others = Vec::new();
        for ring in rings {
            // The job is removed from the map, so that a job with two rings starts only once.
            match ring.job.and_then(|job| planned.remove(&job)) {
                Some(planned) => {
                    let job = WaitingJob { planned, entry: ring.entry, permit: Arc::clone(permit) };
                    self.pool.start(&self.tasks, job);
                }
                None => others.push(ring),
            }
        }
        if count == at_most {
            // The claim reached its limit, so the other jobs may still be free and need another claim.
            return Begun { count, left: others };
        }
        self.forget(others).await;
        Begun { count, left: Vec::new() }
    }

    /// Claims up to `at_most` of the jobs; `None` if the database is unavailable.
    async fn claim(&self, rings: &[Ring], at_most: usize) -> Option<Vec<Claimed>> {
        let ids: Vec<JobId> = rings.iter().filter_map(|ring| ring.job).collect();
        let workshop = &self.workshop;
        let lease = workshop.settings.time_outs.lease;
        let claim = workshop.casework.jobs().claim(&ids, at_most, &workshop.name, lease);
        let claimed = match workshop.in_time(claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, lane = %self.lane, "cannot claim jobs");
                tokio::time::sleep(PAUSE).await;
                return None;
            }
        };
        if !claimed.is_empty() {
            kill_point::pass(Boundary::Claimed, self.lane.as_str());
        }
        self.pool.counts().taken_over(claimed.iter().filter(|job| job.taken_over).count());
        Some(claimed)
    }

    async fn forget(&self, rings: Vec<Ring>) {
        let entries: Vec<String> = rings.into_iter().map(|ring| ring.entry).collect();
        if let Err(error) = self.workshop.queue.acknowledge(&self.lane, &entries).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be read again");
        }
    }

    /// Takes over stream entries that other workers read and did not acknowledge within a lease.
    async fn take_over(&self, stop: &CancellationToken) {
        let idle = self.workshop.settings.time_outs.lease;
        let Some(permit) = self.pool.permit(self.pool.room_now().min(CLAIM_AT_MOST)) else { return };
        match self.workshop.queue.take_over(&self.lane, &self.workshop.name, idle, permit.jobs()).await {
            Ok(rings) => self.answer(rings, permit, stop).await,
            Err(error) => tracing::debug!(%error, lane = %self.lane, "nothing is taken over while Redis is away"),
        }
    }

    /// Puts back on the stream the jobs that this process does not begin because it stops. Other workers then read them
    /// at once.
    async fn ring_again(&self, rings: Vec<Ring>) {
        let offer = |job| Offer { job, lane: self.lane.clone() };
        let offers: Vec<Offer> = rings.iter().filter_map(|ring| ring.job).map(offer).collect();
        let entries: Vec<String> = rings.into_iter().map(|ring| ring.entry).collect();
        if self.workshop.queue.offer(&offers).await.is_ok() {
            let _ = self.workshop.queue.acknowledge(&self.lane, &entries).await;
        }
    }
}
