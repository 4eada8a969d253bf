//! The housekeeper deletes old rows from the database, and removes dead workers from the consumers of the Redis
//! streams. Every worker runs a housekeeper. A lock in the database allows only one of them at a time to delete rows.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::worker::workshop::Workshop;

/// A worker that has not read its stream for this long counts as dead. A live worker reads every second.
const DEAD_AFTER: Duration = Duration::from_secs(3_600);

pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    let every = workshop.settings.upkeep.housekeeping;
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        forget_old_rows(&workshop, &stop).await;
        forget_dead_readers(&workshop).await;
    }
}

async fn forget_old_rows(workshop: &Workshop, stop: &CancellationToken) {
    let mut forgotten = 0;
    while !stop.is_cancelled() {
        match workshop.in_time(workshop.casework.upkeep().forget_old()).await {
            Ok(0) => break,
            Ok(rows) => forgotten += rows,
            Err(error) => {
                tracing::warn!(%error, "housekeeping waits for its next turn");
                break;
            }
        }
    }
    if forgotten > 0 {
        tracing::info!(forgotten, "old rows were deleted");
    }
}

async fn forget_dead_readers(workshop: &Workshop) {
    for (lane, _) in workshop.lanes() {
        match workshop.queue.forget_readers(&lane, DEAD_AFTER).await {
            Ok(0) => {}
            Ok(readers) => tracing::info!(%lane, readers, "dead readers were removed"),
            Err(error) => tracing::debug!(%error, %lane, "dead readers are removed another time"),
        }
    }
}
