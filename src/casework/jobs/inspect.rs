//! What operators see of jobs.

use crate::casework::Casework;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::store::StoreError;
use crate::store::jobs::{self, AttemptRow, Backlog, JobFilter, JobRow, LaneCounts};

impl Casework {
    /// Jobs of a filter, the newest first, before a place in the list.
    pub async fn list_jobs(
        &self,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: i64,
    ) -> Result<Vec<JobRow>, StoreError> {
        jobs::list(&mut *self.store().connection().await?, filter, before, limit).await
    }

    /// When the work of a job may have been handed over without anybody knowing: the days that a look-up at its gateway
    /// asks about.
    pub async fn handed_over(&self, id: JobId) -> Result<Vec<Instant>, StoreError> {
        let handed_over = jobs::handed_over(&mut *self.store().connection().await?, id).await?;
        Ok(handed_over.map(|handed_over| handed_over.at).unwrap_or_default())
    }

    /// How many workers in a row died or fell silent while they were at a job.
    pub async fn lost_in_a_row(&self, id: JobId) -> Result<i32, StoreError> {
        jobs::lost_in_a_row(&mut *self.store().connection().await?, id).await
    }

    /// One job with all attempts at it.
    pub async fn show_job(&self, id: JobId) -> Result<Option<(JobRow, Vec<AttemptRow>)>, StoreError> {
        let mut connection = self.store().connection().await?;
        let Some(job) = jobs::find(&mut connection, id).await? else { return Ok(None) };
        Ok(Some((job, jobs::attempts(&mut connection, id).await?)))
    }

    /// How many dead letters a filter finds, counted up to `most`.
    pub async fn count_dead(&self, filter: &JobFilter, most: i64) -> Result<i64, StoreError> {
        jobs::count_dead(&mut *self.store().connection().await?, filter, most).await
    }

    /// What waits in each lane of this installation, and of those that are only left over, counted up to `most`.
    pub async fn backlog(&self, most: i64) -> Result<Vec<Backlog>, StoreError> {
        let push = self.parts.chain.iter().map(Lane::push);
        let codes = self.parts.code_channel.iter().map(Lane::login);
        let courier = self.parts.carriers.iter().map(Lane::courier);
        let mut lanes: Vec<Lane> = push.chain(codes).chain(courier).chain([Lane::inside()]).collect();
        let mut connection = self.store().connection().await?;
        let in_use = jobs::lanes_in_use(&mut connection).await?.into_iter();
        lanes.extend(in_use.filter(|lane| !lanes.contains(lane)).collect::<Vec<_>>());
        jobs::backlog(&mut connection, &lanes, most).await
    }

    /// How these lanes stand, counted up to `most`.
    pub async fn lane_counts(&self, lanes: &[Lane], most: i64) -> Result<Vec<LaneCounts>, StoreError> {
        jobs::lane_counts(&mut *self.store().connection().await?, lanes, most).await
    }
}
