//! The sweeper offers what was promised and is not on a stream: never offered (a crash between commit and offer, a wait
//! that ended), or offered and lost (Redis flushed, restarted, failed over).
//!
//! How does it know that an offer was lost? A stream holds exactly what is not finished, oldest first. A job that was
//! offered before the oldest entry, and is still pending, has no entry any more. However long a lane's backlog is, and
//! however slow its gateway, what is on the stream is offered once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::{Lane, Offer};
use crate::metrics::offers::{self, By};
use crate::queue::QueueError;
use crate::queue::streams::Oldest;
use crate::worker::Workshop;
use crate::worker::pool::offering::offer;

/// How long an offer may take from the promise to the stream. Longer ago and absent from the stream: it is lost.
const OFFER_TAKES: Duration = Duration::from_secs(1);
/// How long one entry may be the oldest. A lane that works finishes its oldest entry long before; an entry that stays
/// belongs to no reader any more, and would vouch for all that was lost after it.
const OLDEST_FOR: Duration = Duration::from_secs(60);

/// Sweeps every lane, again and again, until the process stops. None waits for another one: a cluster may be away in part.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    offers::begin(By::Sweeper);
    let sweep = async |lane: Lane| {
        let (mut lane, mut held) = (Swept::new(lane), Vec::new());
        while stop.run_until_cancelled(tokio::time::sleep(workshop.settings.sweep)).await.is_some() {
            lane.sweep(&workshop, &mut held).await;
        }
    };
    join_all(workshop.lanes().into_iter().map(|(lane, _)| sweep(lane))).await;
}

/// A lane, and the oldest entry of its stream, as the sweeper saw it last.
struct Swept {
    lane: Lane,
    oldest: Option<(String, Stopwatch)>,
}

impl Swept {
    fn new(lane: Lane) -> Self {
        offers::lost(lane.as_str(), 0);
        Self { lane, oldest: None }
    }

    /// Offers what the lane lacks. `held` is what was found before and could not be offered: the record has it as offered
    /// already, so nobody would find it again soon.
    async fn sweep(&mut self, workshop: &Workshop, held: &mut Vec<Offer>) {
        let lane = self.lane.clone();
        let lost_after = match self.lost_after(workshop).await {
            Ok(lost_after) => lost_after,
            Err(error) => {
                tracing::debug!(%error, %lane, "nothing can be offered while Redis is away");
                return;
            }
        };
        if held.is_empty() {
            match workshop.in_time(workshop.casework.jobs().sweep(&lane, lost_after)).await {
                Ok(swept) if swept.offers.is_empty() => return,
                Ok(swept) => {
                    offers::lost(lane.as_str(), swept.lost);
                    *held = swept.offers;
                }
                Err(error) => return tracing::warn!(%error, %lane, "cannot sweep"),
            }
        }
        offer(&workshop.queue, held, By::Sweeper).await;
    }

    /// How long ago an offer must have been made that is taken for lost.
    async fn lost_after(&mut self, workshop: &Workshop) -> Result<Duration, QueueError> {
        let Some(Oldest { entry, age }) = workshop.queue.oldest(&self.lane).await? else {
            self.oldest = None;
            return Ok(OFFER_TAKES);
        };
        match &self.oldest {
            Some((known, since)) if *known == entry => {
                if since.elapsed() > OLDEST_FOR {
                    tracing::warn!(lane = %self.lane, entry, "an entry that nobody answers is struck off");
                    workshop.queue.acknowledge(&self.lane, &[entry]).await?;
                    self.oldest = None;
                }
            }
            _ => self.oldest = Some((entry, Stopwatch::start())),
        }
        Ok(age + OFFER_TAKES)
    }
}
