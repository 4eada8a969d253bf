//! What operators see of jobs.

use crate::casework::Casework;
use crate::domain::clock::Instant;
use crate::domain::ids::JobId;
use crate::store::StoreError;
use crate::store::jobs::{self, AttemptRow, JobFilter, JobRow};

impl Casework {
    /// Jobs of a filter, the newest first, before a place in the list.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn list_jobs(
        &self,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: i64,
    ) -> Result<Vec<JobRow>, StoreError> {
        jobs::list(&mut *self.store().connection().await?, filter, before, limit).await
    }

    /// When a job was first tried: the day that a look-up at its gateway asks about.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn first_attempt_at(&self, id: JobId) -> Result<Option<Instant>, StoreError> {
        let attempts = jobs::attempts(&mut *self.store().connection().await?, id).await?;
        Ok(attempts.first().map(|attempt| attempt.started_at))
    }

    /// One job with all attempts at it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn show_job(&self, id: JobId) -> Result<Option<(JobRow, Vec<AttemptRow>)>, StoreError> {
        let mut connection = self.store().connection().await?;
        let Some(job) = jobs::find(&mut connection, id).await? else { return Ok(None) };
        Ok(Some((job, jobs::attempts(&mut connection, id).await?)))
    }
}
