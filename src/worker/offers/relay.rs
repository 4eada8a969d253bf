//! The relay announces the commits of its process in Redis: jobs that are due, and people whose data changed.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::casework::frame::bell::News;
use crate::domain::kernel::ids::PersonId;
use crate::domain::work::job::Offer;
use crate::metrics::offers::{self, OfferedBy};
use crate::queue::Queue;
use crate::worker::offers::offering::offer;

/// The maximum number of commits that one round trip to Redis announces.
const BATCH: usize = 256;
/// The wait before jobs that Redis did not accept are offered again.
const PAUSE: Duration = Duration::from_millis(200);
/// The maximum number of jobs that are held in memory until Redis is back. The sweeper offers the jobs that do not fit.
const HELD_AT_MOST: usize = 16_384;

/// Announces commits until the process stops.
pub async fn run(queue: Queue, mut bell: mpsc::Receiver<News>, stop: CancellationToken) {
    offers::begin(OfferedBy::Relay);
    let mut heard = Vec::with_capacity(BATCH);
    let mut held = Vec::new();
    loop {
        tokio::select! {
            count = bell.recv_many(&mut heard, BATCH) => if count == 0 { return },
            () = tokio::time::sleep(PAUSE), if !held.is_empty() => {}
            () = stop.cancelled() => {
                // Commits from before the stop are still announced.
                while let Ok(news) = bell.try_recv() {
                    heard.push(news);
                }
                relay(&queue, &mut heard, &mut held).await;
                return;
            }
        }
        relay(&queue, &mut heard, &mut held).await;
    }
}

async fn relay(queue: &Queue, heard: &mut Vec<News>, held: &mut Vec<Offer>) {
    let mut people = BTreeSet::new();
    for news in heard.drain(..) {
        held.extend(news.offers);
        people.extend(news.people);
    }
    let people: Vec<PersonId> = people.into_iter().collect();
    // Both calls run at the same time. In a Redis cluster they can go to different nodes, and a node that does not
    // answer must not delay the other call.
    let ((), announced) = tokio::join!(offer(queue, held, OfferedBy::Relay), queue.announce(&people));
    held.truncate(HELD_AT_MOST);
    if let Err(error) = announced {
        tracing::debug!(%error, "live clients are not woken; they will poll");
    }
}
