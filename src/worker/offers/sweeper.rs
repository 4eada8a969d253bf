//! The sweeper finds due jobs whose ids are on no Redis stream, and offers them: it puts their ids on a stream. Some of
//! these jobs were never offered, because their process died between commit and offer, or because they became due
//! later. The stream entries of other jobs were lost, because Redis was flushed, restarted or failed over.
//!
//! A lane's stream has an entry for each unfinished job that was offered, the oldest first. If a pending job was
//! offered before the oldest entry was added, the job's own entry was lost. By this rule, jobs that only wait in a slow
//! lane are not offered twice.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::{Lane, Offer};
use crate::metrics::offers::{self, OfferedBy};
use crate::queue::QueueError;
use crate::queue::streams::OldestEntry;
use crate::worker::offers::offering::offer;
use crate::worker::workshop::Workshop;

/// The maximum time between the database's record of an offer and its entry on the stream.
const OFFER_TAKES: Duration = Duration::from_secs(1);
/// The time for which an entry is allowed to be the oldest of its stream. A working lane finishes its oldest entry much
/// sooner, so an entry that stays longer has no reader any more. The sweeper removes such an entry, because it would
/// hide the loss of all later entries.
const OLDEST_FOR: Duration = Duration::from_secs(60);

/// Sweeps every lane until the process stops. The lanes are swept in parallel, so that in a Redis cluster a node that
/// does not answer delays only its own lanes.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    offers::begin(OfferedBy::Sweeper);
    let every = workshop.settings.upkeep.sweep;
    let sweep = async |lane: Lane| {
        let mut lane = LaneSweeper::new(lane);
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            lane.sweep(&workshop).await;
        }
    };
    join_all(workshop.lanes().into_iter().map(|(lane, _)| sweep(lane))).await;
}

struct LaneSweeper {
    lane: Lane,
    /// The oldest entry of the stream at the last sweep, and how long it has been the oldest.
    oldest: Option<(String, Stopwatch)>,
    /// Jobs that Redis did not accept. The database counts them as offered, so another sweep would not find them soon.
    held: Vec<Offer>,
}

impl LaneSweeper {
    fn new(lane: Lane) -> Self {
        offers::count_lost(lane.as_str(), 0);
        Self { lane, oldest: None, held: Vec::new() }
    }

    async fn sweep(&mut self, workshop: &Workshop) {
        let lost_after = match self.lost_after(workshop).await {
            Ok(lost_after) => lost_after,
            Err(error) => {
                tracing::debug!(%error, lane = %self.lane, "nothing can be offered while Redis is away");
                return;
            }
        };
        if self.held.is_empty() {
            match workshop.in_time(workshop.casework.jobs().sweep(&self.lane, lost_after)).await {
                Ok(swept) if swept.offers.is_empty() => return,
                Ok(swept) => {
                    offers::count_lost(self.lane.as_str(), swept.lost);
                    self.held = swept.offers;
                }
                Err(error) => return tracing::warn!(%error, lane = %self.lane, "cannot sweep"),
            }
        }
        offer(&workshop.queue, &mut self.held, OfferedBy::Sweeper).await;
    }

    /// Returns how long ago a pending job must have been offered for its stream entry to count as lost.
    async fn lost_after(&mut self, workshop: &Workshop) -> Result<Duration, QueueError> {
        let Some(OldestEntry { entry, age }) = workshop.queue.oldest(&self.lane).await? else {
            self.oldest = None;
            return Ok(OFFER_TAKES);
        };
        match &self.oldest {
            Some((known, since)) if *known == entry => {
                if since.elapsed() > OLDEST_FOR {
                    tracing::warn!(lane = %self.lane, entry, "an entry that no reader answers is removed");
                    workshop.queue.acknowledge(&self.lane, &[entry]).await?;
                    self.oldest = None;
                }
            }
            _ => self.oldest = Some((entry, Stopwatch::start())),
        }
        Ok(age + OFFER_TAKES)
    }
}
