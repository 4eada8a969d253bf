//! Deletes rows whose time has passed ([`Retained`]), in batches that keep transactions short. One process does it at a
//! time.

use crate::casework::upkeep::Upkeep;
use crate::casework::upkeep::retention::Retained;
use crate::domain::kernel::clock::Instant;
use crate::store::{Store, StoreError, housekeeping};

impl Upkeep<'_> {
    /// Deletes a batch of old rows ([`forget_old`]) and of unused files ([`Upkeep::forget_uploads`]).
    pub async fn forget_old(self) -> Result<u64, StoreError> {
        Ok(forget_old(self.0.store(), self.0.now()).await? + self.forget_uploads().await?)
    }
}

/// Deletes a batch of old rows and returns their number: 0 if nothing is left, or if another process is deleting.
pub async fn forget_old(store: &Store, now: Instant) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for kind in Retained::ALL {
        let mut tx = store.begin().await?;
        if !housekeeping::try_lock(&mut tx).await? {
            return Ok(forgotten);
        }
        forgotten += kind.forget(&mut tx, now - kind.kept(), kind.at_once()).await?;
        tx.commit().await?;
    }
    Ok(forgotten)
}
