//! Claims due jobs for a worker, and reads the data that an attempt needs.

use std::time::Duration;

use crate::casework::jobs::Jobs;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{JobId, LoginCodeId};
use crate::store::StoreError;
use crate::store::jobs::{self, Claimed};
use crate::store::login_codes::{self, LoginCode};

impl Jobs<'_> {
    /// Claims those of the jobs `ids` that are due and that no worker has claimed, at most `at_most`. A claim is valid
    /// for the duration `lease`, and begins an attempt.
    pub async fn claim(
        self,
        ids: &[JobId],
        at_most: usize,
        worker: &str,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        jobs::claim(&mut *self.0.store().connection().await?, ids, at_most, worker, lease).await
    }

    /// Returns when a job's earlier attempts of unknown outcome began. A worker needs the days, because some gateways
    /// can look messages up only by day.
    pub async fn handed_over(self, id: JobId) -> Result<Vec<Instant>, StoreError> {
        let handed_over = jobs::handed_over(&mut *self.0.store().connection().await?, id).await?;
        Ok(handed_over.map(|handed_over| handed_over.at).unwrap_or_default())
    }

    /// Counts how many workers in a row died or stopped answering while they had claimed this job.
    pub async fn lost_in_a_row(self, id: JobId) -> Result<i32, StoreError> {
        jobs::lost_in_a_row(&mut *self.0.store().connection().await?, id).await
    }

    /// Reads a one-time sign-in code; `None` if it is used or expired.
    pub async fn login_code(self, id: LoginCodeId) -> Result<Option<LoginCode>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        login_codes::find_open(&mut connection, self.0.store().keys(), id, self.0.now()).await
    }
}
