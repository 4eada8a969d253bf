//! The relay hears the bell of its own process and tells Redis, many commits in one round trip.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::casework::frame::bell::News;
use crate::domain::kernel::ids::PersonId;
use crate::domain::work::job::Offer;
use crate::metrics::offers::{self, By};
use crate::queue::Queue;
use crate::worker::pool::offering::offer;

/// How many commits are told in one round trip at the most.
const BATCH: usize = 256;
/// How long to wait before what could not be told is told again.
const PAUSE: Duration = Duration::from_millis(200);
/// How many offers are held until Redis is back. Those of a longer outage are left to the sweeper.
const HELD_AT_MOST: usize = 16_384;

/// Tells Redis until the process stops. What it cannot tell it tells again; what it forgets, the sweeper finds.
pub async fn run(queue: Queue, mut bell: mpsc::Receiver<News>, stop: CancellationToken) {
    offers::begin(By::Relay);
    let mut heard = Vec::with_capacity(BATCH);
    let mut held = Vec::new();
    loop {
        tokio::select! {
            count = bell.recv_many(&mut heard, BATCH) => if count == 0 { return },
            () = tokio::time::sleep(PAUSE), if !held.is_empty() => {}
            () = stop.cancelled() => {
                // What was committed before the stop is told before the end.
                while let Ok(news) = bell.try_recv() {
                    heard.push(news);
                }
                tell(&queue, &mut heard, &mut held).await;
                return;
            }
        }
        tell(&queue, &mut heard, &mut held).await;
    }
}

async fn tell(queue: &Queue, heard: &mut Vec<News>, held: &mut Vec<Offer>) {
    let mut people = BTreeSet::new();
    for news in heard.drain(..) {
        held.extend(news.offers);
        people.extend(news.people);
    }
    let people: Vec<PersonId> = people.into_iter().collect();
    // A node of a cluster that does not answer keeps neither from the others.
    let ((), announced) = tokio::join!(offer(queue, held, By::Relay), queue.announce(&people));
    held.truncate(HELD_AT_MOST);
    if let Err(error) = announced {
        tracing::debug!(%error, "live clients will look again by themselves");
    }
}
