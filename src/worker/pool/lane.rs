//! A lane: the jobs before one gateway. It hears their rings, claims and prepares them many at a time, as fast as the
//! gateway's rate allows, and brings them to the [`Floor`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::kernel::ids::JobId;
use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::{Lane, Offer};
use crate::kill_point::{self, Step};
use crate::lifecycle::Tasks;
use crate::queue::streams::{Reader, Ring};
use crate::worker::pool::floor::Floor;
use crate::worker::pool::gate::Leave;
use crate::worker::{Workshop, jobs};

/// How long one read waits for a ring. Also how long a stop may have to wait for a lane.
const LISTEN: Duration = Duration::from_secs(1);
/// How many jobs are claimed in one statement at the most.
const CLAIM_AT_MOST: usize = 256;
/// How often a lease's time is looked for what others left behind: so nothing waits for much longer than its lease.
const LOOKS_A_LEASE: u32 = 12;
/// The pause after something that will not be better at once.
const PAUSE: Duration = Duration::from_millis(200);

/// Works a lane until the process stops.
pub async fn run(workshop: Arc<Workshop>, lane: Lane, pace: Pace, floor: Arc<Floor>, tasks: Tasks) {
    let stop = tasks.stopping();
    let mut reader = workshop.queue.reader(lane.clone(), &workshop.name);
    let crew = Crew { workshop, lane, pace, floor, tasks };
    let mut since_take_over = Stopwatch::start();
    while !stop.is_cancelled() {
        crew.workshop.pulse.beat(&crew.lane);
        if since_take_over.elapsed() > crew.workshop.settings.lease / LOOKS_A_LEASE {
            since_take_over = Stopwatch::start();
            crew.take_over(&stop).await;
        }
        let Some(leave) = crew.leave(&stop).await else { continue };
        let Some(rings) = listen(&mut reader, leave.jobs(), &stop).await else { continue };
        crew.answer(rings, leave, &stop).await;
    }
    reader.leave().await;
}

/// Waits for rings; `None` when there is nothing to do. Not even a stop ends a read before its time: rings may be on
/// their way already.
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

/// Who works a lane.
struct Crew {
    workshop: Arc<Workshop>,
    lane: Lane,
    pace: Pace,
    floor: Arc<Floor>,
    tasks: Tasks,
}

impl Crew {
    /// Leave to begin jobs; `None` after a while without.
    async fn leave(&self, stop: &CancellationToken) -> Option<Leave> {
        // While all slots are taken the lane comes round all the same, and shows that it is alive.
        let room = tokio::time::timeout(LISTEN, self.floor.room());
        let room = stop.run_until_cancelled(room).await?.ok()?;
        let leave = self.floor.ask(room.min(CLAIM_AT_MOST));
        if leave.is_none() {
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        leave
    }

    /// Begins the jobs that were rung for, as fast as the gateway's rate allows. Only what is begun counts: rings for what
    /// is done or held do not slow down what waits behind them.
    async fn answer(&self, mut rings: Vec<Ring>, leave: Leave, stop: &CancellationToken) {
        let leave = Arc::new(leave);
        while !rings.is_empty() {
            if stop.is_cancelled() {
                return self.ring_again(rings).await;
            }
            // At a slow pace many rings take long, and each round of it is one of the lane.
            self.workshop.pulse.beat(&self.lane);
            let queue = &self.workshop.queue;
            let allowed = queue.take(&self.lane, self.pace, rings.len()).await.unwrap_or(rings.len());
            let mut begun = 0;
            if allowed > 0 {
                (begun, rings) = self.begin(rings, allowed, &leave).await;
            }
            if begun < allowed && queue.give_back(&self.lane, self.pace, allowed - begun).await.is_err() {
                tracing::debug!(lane = %self.lane, "the rate is not given back while Redis is away");
            }
            if !rings.is_empty() {
                stop.run_until_cancelled(tokio::time::sleep(PAUSE / 10)).await;
            }
        }
    }

    /// Claims at most so many jobs, prepares and starts those that were free, and says how many, and which rings are left. A
    /// ring for a job that is done or held is acknowledged and forgotten.
    async fn begin(&self, rings: Vec<Ring>, at_most: usize, leave: &Arc<Leave>) -> (usize, Vec<Ring>) {
        kill_point::pass(Step::Heard, self.lane.as_str());
        let since = Stopwatch::start();
        let ids: Vec<JobId> = rings.iter().filter_map(|ring| ring.job).collect();
        let workshop = &self.workshop;
        let claim = workshop.casework.jobs().claim(&ids, at_most, &workshop.name, workshop.settings.lease);
        let claimed = match workshop.in_time(claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                // The entries stay: they are taken over when the database is back.
                tracing::warn!(%error, lane = %self.lane, "cannot claim jobs");
                tokio::time::sleep(PAUSE).await;
                return (0, Vec::new());
            }
        };
        if !claimed.is_empty() {
            kill_point::pass(Step::Claimed, self.lane.as_str());
        }
        let (count, taken_over) = (claimed.len(), claimed.iter().filter(|job| job.taken_over).count());
        self.floor.counts().taken_over(taken_over);
        let begun = jobs::plan(workshop, claimed, since).await;
        let mut begun: HashMap<JobId, _> = begun.into_iter().map(|begun| (begun.job.id(), begun)).collect();
        let mut others = Vec::new();
        for ring in rings {
            // Taken out, so that a job that was rung for twice is started once.
            match ring.job.and_then(|job| begun.remove(&job)) {
                Some(begun) => self.floor.start(&self.tasks, begun, ring.entry, Arc::clone(leave)),
                None => others.push(ring),
            }
        }
        if count == at_most {
            // Some of them may be free: nobody looked.
            return (count, others);
        }
        let forgotten: Vec<String> = others.into_iter().map(|ring| ring.entry).collect();
        if let Err(error) = workshop.queue.acknowledge(&self.lane, &forgotten).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be found to be done");
        }
        (count, Vec::new())
    }

    /// Takes over what others left behind.
    async fn take_over(&self, stop: &CancellationToken) {
        let idle = self.workshop.settings.lease;
        let Some(leave) = self.floor.ask(self.floor.room_now().min(CLAIM_AT_MOST)) else { return };
        match self.workshop.queue.take_over(&self.lane, &self.workshop.name, idle, leave.jobs()).await {
            Ok(rings) => self.answer(rings, leave, stop).await,
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
}
