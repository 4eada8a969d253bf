//! The settler writes down how attempts ended, many in one transaction, and acknowledges their rings afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::casework::jobs::{Effect, Settlement};
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::kill_point::{self, Step};
use crate::metrics::attempts::too_late;
use crate::store::StoreError;
use crate::worker::Workshop;

/// An attempt that ended, with the ring that announced it.
pub struct Ended {
    pub settlement: Settlement,
    /// The lane of the ring.
    pub lane: Lane,
    /// The stream entry to acknowledge.
    pub entry: String,
}

/// How many attempts are settled together at the most.
const BATCH: usize = 256;
/// How many may wait for their turn. Those who hand in more wait with what they did, and begin nothing new.
const WAITING: usize = 2 * BATCH;
/// How long the settler waits before it tries an unavailable database again. Leases end meanwhile, and that is safe.
const PAUSE: Duration = Duration::from_millis(200);

/// Where lanes hand in what ended, and where the settler takes it from.
#[must_use]
pub fn channel() -> (mpsc::Sender<Ended>, mpsc::Receiver<Ended>) {
    mpsc::channel(WAITING)
}

/// Settles until all lanes are done.
pub async fn run(workshop: Arc<Workshop>, mut ended: mpsc::Receiver<Ended>) {
    let mut batch = Vec::with_capacity(BATCH);
    while ended.recv_many(&mut batch, BATCH).await > 0 {
        let split = batch.drain(..).map(|ended: Ended| (ended.settlement, (ended.lane, ended.entry)));
        let (settlements, rings): (Vec<_>, Vec<_>) = split.unzip();
        settle(&workshop, &settlements).await;
        passed(Step::Settled, &rings);
        acknowledge(&workshop, &rings).await;
        passed(Step::Acknowledged, &rings);
    }
}

fn passed(step: Step, rings: &[(Lane, String)]) {
    for (lane, _) in rings {
        kill_point::pass(step, lane.as_str());
    }
}

/// What became of a settlement.
enum Settled {
    /// It is written down.
    Yes,
    /// Something in it cannot be written.
    Refused(StoreError),
    /// The record did not answer for as long as a lease lasts: others have these jobs by now.
    TooLate,
}

/// Settles a batch; where one attempt cannot be settled, the others are settled without it, and people must look at that one.
async fn settle(workshop: &Workshop, settlements: &[Settlement]) {
    if !matches!(try_settle(workshop, settlements).await, Settled::Refused(_)) {
        return;
    }
    // Calls of gateways come last, as they do within a batch: one may take back how a push ended.
    let (calls, others): (Vec<_>, Vec<_>) =
        settlements.iter().partition(|it| matches!(it.effect, Effect::Callback { .. }));
    for settlement in others.into_iter().chain(calls) {
        let job = settlement.ending.id();
        if let Settled::Refused(why) = try_settle(workshop, std::slice::from_ref(settlement)).await {
            let bare = settlement.clone().without_effect(&why);
            if let Settled::Refused(_) = try_settle(workshop, &[bare]).await {
                tracing::error!(%job, "an attempt could not be settled; its lease will end");
            }
        }
    }
}

/// Tries to settle, for as long as a lease can last while the database is away.
async fn try_settle(workshop: &Workshop, settlements: &[Settlement]) -> Settled {
    let since = Stopwatch::start();
    loop {
        match workshop.in_time(workshop.casework.jobs().settle(settlements)).await {
            Ok(held) => {
                let attempts = settlements.iter().map(|settlement| settlement.ending.attempt());
                let late: Vec<JobId> = attempts.filter(|attempt| !held.contains(attempt)).map(|(job, _)| job).collect();
                if !late.is_empty() {
                    too_late(late.len());
                    tracing::warn!(
                        ?late,
                        "leases were lost, or the answer to an earlier try; others settle these jobs"
                    );
                }
                return Settled::Yes;
            }
            Err(error @ StoreError::Unavailable(_)) if since.elapsed() < workshop.settings.lease => {
                tracing::warn!(%error, "cannot settle yet");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, jobs = settlements.len(), "cannot settle");
                let too_late = matches!(error, StoreError::Unavailable(_));
                return if too_late { Settled::TooLate } else { Settled::Refused(error) };
            }
        }
    }
}

async fn acknowledge(workshop: &Workshop, rings: &[(Lane, String)]) {
    let mut by_lane: BTreeMap<&Lane, Vec<String>> = BTreeMap::new();
    for (lane, entry) in rings.iter().filter(|(_, entry)| !entry.is_empty()) {
        by_lane.entry(lane).or_default().push(entry.clone());
    }
    let acknowledge = async |(lane, entries): (&Lane, Vec<String>)| {
        if let Err(error) = workshop.queue.acknowledge(lane, &entries).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be found to be done");
        }
    };
    join_all(by_lane.into_iter().map(acknowledge)).await;
}
