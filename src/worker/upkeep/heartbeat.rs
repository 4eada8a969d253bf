//! Sends this worker's heartbeat, and sets the gauges of its lanes. At start-up it also removes the heartbeats of dead
//! workers, so that a worker that dies again and again leaves none behind.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::lanes;
use crate::queue::QueueError;
use crate::queue::heartbeat::{self, Heartbeat, LaneHeartbeat};
use crate::worker::pool::lane_pool::LanePool;
use crate::worker::workshop::Workshop;

/// Sends heartbeats until the process stops.
pub async fn run(workshop: Arc<Workshop>, pools: Vec<Arc<LanePool>>, stop: CancellationToken) {
    let mut ended: Vec<u64> = vec![0; pools.len()];
    let mut since = Stopwatch::start();
    remove_dead(&workshop).await;
    loop {
        let elapsed = since.elapsed();
        since = Stopwatch::start();
        let lanes = pools.iter().zip(&mut ended).map(|(pool, before)| lane(pool, before, elapsed)).collect();
        log_failure(workshop.queue.send_heartbeat(&workshop.name, &Heartbeat { lanes }).await);
        if stop.run_until_cancelled(tokio::time::sleep(heartbeat::EVERY)).await.is_none() {
            break;
        }
    }
    // The pools hold senders to the settler, which ends with the last of them.
    drop(pools);
    log_failure(workshop.queue.end_heartbeat(&workshop.name).await);
}

/// Reading the heartbeats removes those of dead workers.
async fn remove_dead(workshop: &Workshop) {
    log_failure(workshop.queue.live_workers().await.map(drop));
}

fn lane(pool: &LanePool, ended_before: &mut u64, elapsed: Duration) -> LaneHeartbeat {
    let status = pool.status();
    lanes::set_status(status.lane.as_str(), status.slots, status.busy, status.breaker.name());
    let new = status.ended.saturating_sub(std::mem::replace(ended_before, status.ended));
    LaneHeartbeat {
        lane: status.lane.to_string(),
        breaker: status.breaker.name().to_owned(),
        slots: status.slots,
        busy: status.busy,
        per_second: new as f64 / elapsed.as_secs_f64().max(0.001),
    }
}

fn log_failure(outcome: Result<(), QueueError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "no heartbeat is sent while Redis is away");
    }
}
