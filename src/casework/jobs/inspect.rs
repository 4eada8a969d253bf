//! What operators see of jobs.

use crate::casework::Casework;
use crate::domain::clock::Instant;
use crate::domain::ids::JobId;
use crate::domain::job::Lane;
use crate::store::StoreError;
use crate::store::jobs::{self, AttemptRow, Backlog, JobFilter, JobRow, Standing};

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

    /// How many dead letters a filter finds, counted up to `most`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn count_dead(&self, filter: &JobFilter, most: i64) -> Result<i64, StoreError> {
        jobs::count_dead(&mut *self.store().connection().await?, filter, most).await
    }

    /// What waits in each lane of this installation, counted up to `most`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn backlog(&self, most: i64) -> Result<Vec<Backlog>, StoreError> {
        let push = self.parts.chain.iter().map(Lane::push);
        let courier = self.parts.carriers.iter().map(Lane::courier);
        let lanes: Vec<Lane> = push.chain(courier).chain([Lane::inside()]).collect();
        jobs::backlog(&mut *self.store().connection().await?, &lanes, most).await
    }

    /// How these lanes stand, counted up to `most`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn standing(&self, lanes: &[Lane], most: i64) -> Result<Vec<Standing>, StoreError> {
        jobs::standing(&mut *self.store().connection().await?, lanes, most).await
    }
}
