//! The sweeper offers what was promised and is not on a stream: never offered (a crash between commit and offer, a wait
//! that ended), or offered and lost (Redis flushed, restarted, failed over).
//!
//! How does it know that an offer was lost? A stream holds exactly what is not finished, oldest first. A job that was
//! offered before the oldest entry, and is still pending, has no entry any more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::Workshop;
use super::offering::offer;
use crate::domain::job::{Lane, Offer};
use crate::metrics::offers::{self, By};

/// How long an offer may take from the promise to the stream. Longer ago and absent from the stream: it is lost.
const OFFER_TAKES: Duration = Duration::from_secs(1);
/// Whatever the stream seems to hold, an offer is repeated after this: the last net under all others.
const LONGEST_TRUST: Duration = Duration::from_secs(60);

/// Sweeps every lane, again and again, until the process stops. None waits for another one: a cluster may be away in part.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    offers::begin(By::Sweeper);
    let sweep = async |lane: Lane| {
        let mut held = Vec::new();
        offers::lost(lane.as_str(), 0);
        while stop.run_until_cancelled(tokio::time::sleep(workshop.settings.sweep)).await.is_some() {
            sweep(&workshop, &lane, &mut held).await;
        }
    };
    join_all(workshop.lanes().into_iter().map(|(lane, _)| sweep(lane))).await;
}

/// Offers what a lane lacks. `held` is what was found before and could not be offered: the record has it as offered
/// already, so nobody would find it again soon.
async fn sweep(workshop: &Workshop, lane: &Lane, held: &mut Vec<Offer>) {
    let oldest = match workshop.queue.oldest(lane).await {
        Ok(oldest) => oldest,
        Err(error) => {
            tracing::debug!(%error, %lane, "nothing can be offered while Redis is away");
            return;
        }
    };
    if held.is_empty() {
        let lost_after = oldest.map_or(OFFER_TAKES, |age| (age + OFFER_TAKES).min(LONGEST_TRUST));
        match workshop.in_time(workshop.casework.sweep(lane, lost_after)).await {
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
