//! Operators list jobs, and replay dead letters: jobs that were given up.

use crate::casework::jobs::Operations;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::JobState;
use crate::store::StoreError;
use crate::store::jobs::{self, AttemptRow, JobFilter, JobRow};

impl Operations<'_> {
    /// Lists the jobs that match a filter, the newest first. `before` is the last job of the previous page.
    pub async fn list(self, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Result<Vec<JobRow>, StoreError> {
        jobs::list(&mut *self.store.connection().await?, filter, before, limit).await
    }

    /// Finds a job, and all attempts at it.
    pub async fn show(self, id: JobId) -> Result<Option<(JobRow, Vec<AttemptRow>)>, StoreError> {
        let mut connection = self.store.connection().await?;
        let Some(job) = jobs::find(&mut connection, id).await? else { return Ok(None) };
        Ok(Some((job, jobs::attempts(&mut connection, id).await?)))
    }

    /// Counts the dead letters that match a filter, up to `most`.
    pub async fn count_dead(self, filter: &JobFilter, most: i64) -> Result<i64, StoreError> {
        jobs::count_dead(&mut *self.store.connection().await?, filter, most).await
    }

    /// Replays the dead letters that match a filter: makes at most `limit` of them, the newest, pending again. Returns
    /// how many.
    pub async fn replay(self, filter: &JobFilter, limit: i64) -> Result<usize, StoreError> {
        let dead = JobFilter { state: Some(JobState::Dead.as_str().to_owned()), ..filter.clone() };
        let mut tx = self.store.begin().await?;
        let ids: Vec<JobId> = jobs::list(&mut tx, &dead, None, limit).await?.iter().map(JobRow::id).collect();
        let offers = jobs::replay(&mut tx, &ids).await?;
        tx.commit().await?;
        let replayed = offers.len();
        self.bell.ring(offers, std::iter::empty());
        Ok(replayed)
    }

    /// Makes a dead letter pending again. Returns false if the job is not a dead letter.
    pub async fn replay_one(self, job: JobId) -> Result<bool, StoreError> {
        let offers = jobs::replay(&mut *self.store.connection().await?, &[job]).await?;
        let replayed = !offers.is_empty();
        self.bell.ring(offers, std::iter::empty());
        Ok(replayed)
    }
}
