//! The housekeeper: now and then, what served its purpose is forgotten. Every worker has one; a lock in the database
//! lets one of them do it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Workshop;

/// Keeps house until the process stops.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(workshop.settings.housekeeping)).await.is_some() {
        let mut forgotten = 0;
        while !stop.is_cancelled() {
            match workshop.casework.forget_old().await {
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
    }
}
