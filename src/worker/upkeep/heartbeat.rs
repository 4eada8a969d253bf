//! Sends this worker's heartbeat to Redis: every second, the state of its lanes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::QueueError;
use crate::queue::heartbeat::{self, Heartbeat};
use crate::worker::pool::lane_pool::LanePool;
use crate::worker::workshop::Workshop;

/// Sends heartbeats until the process stops.
pub async fn run(workshop: Arc<Workshop>, pools: Vec<Arc<LanePool>>, stop: CancellationToken) {
    let mut ended: Vec<u64> = vec![0; pools.len()];
    let mut since = Stopwatch::start();
    // Reading the heartbeats removes those of dead workers. Without this, a worker that dies often leaves many behind.
    log_failure(workshop.queue.live_workers().await.map(drop));
    loop {
        let elapsed = since.elapsed();
        since = Stopwatch::start();
        let lanes = pools.iter().zip(&mut ended).map(|(pool, before)| pool.heartbeat(before, elapsed)).collect();
        log_failure(workshop.queue.send_heartbeat(&workshop.name, &Heartbeat { lanes }).await);
        if stop.run_until_cancelled(tokio::time::sleep(heartbeat::EVERY)).await.is_none() {
            break;
        }
    }
    // The pools hold the senders to the settler. The settler ends when the last sender is dropped.
    drop(pools);
    log_failure(workshop.queue.end_heartbeat(&workshop.name).await);
}

fn log_failure(outcome: Result<(), QueueError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "no heartbeat is sent while Redis is away");
    }
}
