//! Claiming due jobs, and what is known of earlier attempts.

use std::time::Duration;

use crate::casework::jobs::Jobs;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::store::StoreError;
use crate::store::jobs::{self, Claimed};

impl Jobs<'_> {
    /// Claims up to `at_most` of these jobs, if they are due and free, each for the length of a lease, and opens an attempt at
    /// each.
    pub async fn claim(
        self,
        ids: &[JobId],
        at_most: usize,
        worker: &str,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        jobs::claim(&mut *self.0.store().connection().await?, ids, at_most, worker, lease).await
    }

    /// When the work of a job may have been handed over with unknown outcome: a look-up at the gateway asks about these days.
    pub async fn handed_over(self, id: JobId) -> Result<Vec<Instant>, StoreError> {
        let handed_over = jobs::handed_over(&mut *self.0.store().connection().await?, id).await?;
        Ok(handed_over.map(|handed_over| handed_over.at).unwrap_or_default())
    }

    /// How many workers in a row died or fell silent while they held a job.
    pub async fn lost_in_a_row(self, id: JobId) -> Result<i32, StoreError> {
        jobs::lost_in_a_row(&mut *self.0.store().connection().await?, id).await
    }
}
