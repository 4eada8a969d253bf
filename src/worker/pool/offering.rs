//! Offers jobs on the streams, and counts them. What cannot be offered now is held, by whoever would offer it again.

use crate::domain::work::job::Offer;
use crate::metrics::offers::{self, By};
use crate::queue::Queue;

/// Offers what is held, and goes on holding what could not be offered.
pub async fn offer(queue: &Queue, held: &mut Vec<Offer>, by: By) {
    let wanted = held.len();
    match queue.offer(held).await {
        Ok(()) => held.clear(),
        Err(error) => {
            tracing::warn!(%error, jobs = error.left.len(), "jobs cannot be offered yet");
            *held = error.left;
        }
    }
    offers::made(by, wanted.saturating_sub(held.len()), true);
    offers::made(by, held.len(), false);
}
