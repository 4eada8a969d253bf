//! The housekeeper: now and then, what served its purpose is forgotten. Every worker has one; a lock in the database
//! lets one of them do it there.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::worker::Workshop;

/// How long a reader of rings must have been silent to be taken for dead. A living one asks every second.
const DEAD_AFTER: Duration = Duration::from_secs(3_600);

/// Keeps house until the process stops.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(workshop.settings.housekeeping)).await.is_some() {
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
            tracing::info!(forgotten, "old rows were forgotten");
        }
        forget_dead_readers(&workshop).await;
    }
}

async fn forget_dead_readers(workshop: &Workshop) {
    for (lane, _) in workshop.lanes() {
        match workshop.queue.forget_readers(&lane, DEAD_AFTER).await {
            Ok(0) => {}
            Ok(readers) => tracing::info!(%lane, readers, "readers that died were forgotten"),
            Err(error) => tracing::debug!(%error, %lane, "dead readers are forgotten another time"),
        }
    }
}
