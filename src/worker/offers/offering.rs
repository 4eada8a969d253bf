use crate::domain::work::job::Offer;
use crate::metrics::offers::{self, OfferedBy};
use crate::queue::Queue;

/// Puts the ids of jobs on the Redis streams of their lanes, and counts them. Jobs that Redis did not accept stay in
/// `held`.
pub async fn offer(queue: &Queue, held: &mut Vec<Offer>, by: OfferedBy) {
    let wanted = held.len();
    match queue.offer(held).await {
        Ok(()) => held.clear(),
        Err(error) => {
            tracing::warn!(%error, jobs = error.left.len(), "jobs cannot be offered yet");
            *held = error.left;
        }
    }
    offers::count_offered(by, wanted.saturating_sub(held.len()));
    offers::count_failed(by, held.len());
}
