//! The settler writes down how attempts ended, many in one transaction, and acknowledges their rings afterwards.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Workshop;
use crate::casework::jobs::Settlement;
use crate::domain::clock::Stopwatch;
use crate::domain::ids::JobId;
use crate::domain::job::Lane;
use crate::kill_point::{self, Step};
use crate::store::StoreError;

/// An attempt that ended, with the ring that announced it.
pub struct Ended {
    /// How.
    pub settlement: Settlement,
    /// The lane of the ring.
    pub lane: Lane,
    /// The stream entry to acknowledge.
    pub entry: String,
}

/// How many attempts are settled together at the most.
const BATCH: usize = 256;
const WAITING: usize = 4_096;
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
        settle(&workshop, &batch).await;
        passed(Step::Settled, &batch);
        acknowledge(&workshop, &batch).await;
        passed(Step::Acknowledged, &batch);
        batch.clear();
    }
}

fn passed(step: Step, batch: &[Ended]) {
    for ended in batch {
        kill_point::pass(step, ended.lane.as_str());
    }
}

/// What became of a settlement.
enum Settled {
    /// It is written down.
    Yes,
    /// Something in it cannot be written.
    Refused,
    /// The record did not answer for as long as a lease lasts: others have these jobs by now.
    TooLate,
}

/// Settles a batch; where one attempt cannot be settled, the others are settled without it.
async fn settle(workshop: &Workshop, batch: &[Ended]) {
    let settlements: Vec<Settlement> = batch.iter().map(|ended| ended.settlement.clone()).collect();
    if !matches!(try_settle(workshop, &settlements).await, Settled::Refused) {
        return;
    }
    for settlement in &settlements {
        if matches!(try_settle(workshop, std::slice::from_ref(settlement)).await, Settled::Refused) {
            tracing::error!(job = %settlement.ending.id(), "an attempt could not be settled; its lease will end");
        }
    }
}

/// Tries to settle, for as long as a lease can last while the database is away.
async fn try_settle(workshop: &Workshop, settlements: &[Settlement]) -> Settled {
    let since = Stopwatch::start();
    loop {
        match workshop.in_time(workshop.casework.settle(settlements)).await {
            Ok(held) => {
                let attempts = settlements.iter().map(|settlement| settlement.ending.attempt());
                let late: Vec<JobId> = attempts.filter(|attempt| !held.contains(attempt)).map(|(job, _)| job).collect();
                if !late.is_empty() {
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
                return if matches!(error, StoreError::Unavailable(_)) { Settled::TooLate } else { Settled::Refused };
            }
        }
    }
}

async fn acknowledge(workshop: &Workshop, batch: &[Ended]) {
    let mut lanes: Vec<&Lane> = batch.iter().map(|ended| &ended.lane).collect();
    lanes.sort_unstable();
    lanes.dedup();
    for lane in lanes {
        let of_lane = batch.iter().filter(|ended| ended.lane == *lane && !ended.entry.is_empty());
        let entries: Vec<String> = of_lane.map(|ended| ended.entry.clone()).collect();
        if let Err(error) = workshop.queue.acknowledge(lane, &entries).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be found to be done");
        }
    }
}
