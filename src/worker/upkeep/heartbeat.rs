//! Tells the roll, and whoever counts, every moment that this worker is there, and how its lanes are. It also clears the roll of the dead, so
//! that a worker that dies again and again leaves no trail.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::lanes;
use crate::queue::QueueError;
use crate::queue::heartbeat::{self, LanePresent, Present};
use crate::worker::Workshop;
use crate::worker::pool::floor::Floor;

/// Answers until the process stops.
pub async fn run(workshop: Arc<Workshop>, floors: Vec<Arc<Floor>>, stop: CancellationToken) {
    let mut ended: Vec<u64> = vec![0; floors.len()];
    let mut since = Stopwatch::start();
    clear(&workshop).await;
    loop {
        let elapsed = since.elapsed();
        since = Stopwatch::start();
        let lanes = floors.iter().zip(&mut ended).map(|(floor, before)| lane(floor, before, elapsed)).collect();
        told(workshop.queue.answer_roll(&workshop.name, &Present { lanes }).await);
        if stop.run_until_cancelled(tokio::time::sleep(heartbeat::EVERY)).await.is_none() {
            break;
        }
    }
    // They hold the settler's door open.
    drop(floors);
    told(workshop.queue.leave_roll(&workshop.name).await);
}

/// Whoever calls the roll clears it.
async fn clear(workshop: &Workshop) {
    told(workshop.queue.call_roll().await.map(drop));
}

fn lane(floor: &Floor, before: &mut u64, elapsed: Duration) -> LanePresent {
    let standing = floor.standing();
    lanes::stands(standing.lane.as_str(), standing.slots, standing.busy, standing.breaker.name());
    let new = standing.ended.saturating_sub(std::mem::replace(before, standing.ended));
    LanePresent {
        lane: standing.lane.to_string(),
        breaker: standing.breaker.name().to_owned(),
        slots: standing.slots,
        busy: standing.busy,
        per_second: new as f64 / elapsed.as_secs_f64().max(0.001),
    }
}

fn told(outcome: Result<(), QueueError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "the roll is not answered while Redis is away");
    }
}
