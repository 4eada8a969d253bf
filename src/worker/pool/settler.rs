//! The settler writes the results of attempts to the database, many in one transaction. Afterwards it acknowledges the
//! rings of the jobs: the Redis stream entries that announced them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::casework::jobs::{Effect, Settlement};
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::kill_point::{self, Boundary};
use crate::metrics::attempts::count_too_late;
use crate::store::StoreError;
use crate::worker::workshop::Workshop;

pub struct EndedAttempt {
    pub settlement: Settlement,
    pub ring: AnsweredRing,
}

/// The ring of an ended attempt: the Redis stream entry that announced its job.
pub struct AnsweredRing {
    pub lane: Lane,
    /// The id of the stream entry; empty if there is none.
    pub entry: String,
}

/// The maximum number of attempts in one transaction.
const BATCH: usize = 256;
/// The maximum number of ended attempts that wait to be settled. If more attempts end, their tasks wait for the settler
/// and begin no new job.
const WAITING: usize = 2 * BATCH;
/// The wait before the settler tries an unavailable database again.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes the channel by which the lanes' pools send ended attempts to the settler.
pub fn channel() -> (mpsc::Sender<EndedAttempt>, mpsc::Receiver<EndedAttempt>) {
    mpsc::channel(WAITING)
}

/// Settles ended attempts until all lanes have stopped.
pub async fn run(workshop: Arc<Workshop>, mut ended: mpsc::Receiver<EndedAttempt>) {
    let mut batch = Vec::with_capacity(BATCH);
    while ended.recv_many(&mut batch, BATCH).await > 0 {
        let split = batch.drain(..).map(|ended: EndedAttempt| (ended.settlement, ended.ring));
        let (settlements, rings): (Vec<_>, Vec<_>) = split.unzip();
        settle(&workshop, &settlements).await;
        pass(Boundary::Settled, &rings);
        acknowledge(&workshop, &rings).await;
        pass(Boundary::Acknowledged, &rings);
    }
}

fn pass(boundary: Boundary, rings: &[AnsweredRing]) {
    for ring in rings {
        kill_point::pass(boundary, ring.lane.as_str());
    }
}

enum Settled {
    Yes,
    /// The database refuses a part of the batch.
    Refused(StoreError),
    /// The database was unavailable for the length of a lease, so other workers may have claimed these jobs by now.
    TooLate,
}

/// Settles a batch. If the database refuses it, each attempt is settled alone. A job whose attempt is refused even then
/// becomes a dead letter.
async fn settle(workshop: &Workshop, settlements: &[Settlement]) {
    if !matches!(try_settle(workshop, settlements).await, Settled::Refused(_)) {
        return;
    }
    // Callbacks are settled last, because a receipt in a callback can revoke the delivery of a push. Within a batch,
    // the order is the same.
    let (callbacks, others): (Vec<_>, Vec<_>) =
        settlements.iter().partition(|it| matches!(it.effect, Effect::Callback { .. }));
    for settlement in others.into_iter().chain(callbacks) {
        let job = settlement.ending.id();
        if let Settled::Refused(why) = try_settle(workshop, std::slice::from_ref(settlement)).await {
            let bare = settlement.clone().without_effect(&why);
            if let Settled::Refused(_) = try_settle(workshop, &[bare]).await {
                tracing::error!(%job, "an attempt could not be settled; its lease will end");
            }
        }
    }
}

/// Settles a batch. While the database is unavailable, tries again for up to the length of a lease.
async fn try_settle(workshop: &Workshop, settlements: &[Settlement]) -> Settled {
    let since = Stopwatch::start();
    loop {
        match workshop.in_time(workshop.casework.jobs().settle(settlements)).await {
            Ok(held) => {
                let attempts = settlements.iter().map(|settlement| settlement.ending.attempt());
                warn_of_late(attempts.filter(|attempt| !held.contains(attempt)).map(|attempt| attempt.job).collect());
                return Settled::Yes;
            }
            Err(error @ StoreError::Unavailable(_)) if since.elapsed() < workshop.settings.time_outs.lease => {
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

fn warn_of_late(late: Vec<JobId>) {
    if !late.is_empty() {
        count_too_late(late.len());
        tracing::warn!(?late, "leases were lost, or the answer to an earlier try; other workers settle these jobs");
    }
}

async fn acknowledge(workshop: &Workshop, rings: &[AnsweredRing]) {
    let mut by_lane: BTreeMap<&Lane, Vec<String>> = BTreeMap::new();
    for ring in rings.iter().filter(|ring| !ring.entry.is_empty()) {
        by_lane.entry(&ring.lane).or_default().push(ring.entry.clone());
    }
    let acknowledge = async |(lane, entries): (&Lane, Vec<String>)| {
        if let Err(error) = workshop.queue.acknowledge(lane, &entries).await {
            tracing::debug!(%error, "rings could not be acknowledged; they will be read again");
        }
    };
    join_all(by_lane.into_iter().map(acknowledge)).await;
}
