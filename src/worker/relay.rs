//! The relay hears the bell of its own process and tells Redis, many commits in one round trip.

use std::collections::BTreeSet;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::casework::bell::News;
use crate::domain::ids::PersonId;
use crate::queue::Queue;

/// How many commits are told in one round trip at the most.
const BATCH: usize = 256;

/// Tells Redis until the process stops. What it cannot tell, the sweeper finds.
pub async fn run(queue: Queue, mut bell: mpsc::Receiver<News>, stop: CancellationToken) {
    let mut heard = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = bell.recv_many(&mut heard, BATCH) => if count == 0 { return },
            () = stop.cancelled() => {
                // What was committed before the stop is told before the end.
                while let Ok(news) = bell.try_recv() {
                    heard.push(news);
                }
                tell(&queue, &mut heard).await;
                return;
            }
        }
        tell(&queue, &mut heard).await;
    }
}

async fn tell(queue: &Queue, heard: &mut Vec<News>) {
    let mut offers = Vec::new();
    let mut people = BTreeSet::new();
    for news in heard.drain(..) {
        offers.extend(news.offers);
        people.extend(news.people);
    }
    if !offers.is_empty()
        && let Err(error) = queue.offer(&offers).await
    {
        tracing::warn!(%error, jobs = offers.len(), "jobs could not be offered; the sweeper will offer them");
    }
    let people: Vec<PersonId> = people.into_iter().collect();
    if let Err(error) = queue.announce(&people).await {
        tracing::debug!(%error, "live clients will look again by themselves");
    }
}
