//! Claiming due jobs, and finding those whose ring was lost.

use std::time::Duration;

use crate::casework::Casework;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};
use crate::store::jobs::{self, Claimed};
use crate::store::{StoreError, jobs::JobFilter};

/// What a sweep found.
#[derive(Debug)]
pub struct Swept {
    /// All of it, to be offered.
    pub offers: Vec<Offer>,
    /// For how many of these a ring was lost; the others fell due.
    pub lost: usize,
}

impl Casework {
    /// Takes those of these jobs that are due and free, `at_most` so many, each for the length of a lease, and opens an
    /// attempt at each.
    pub async fn claim(
        &self,
        ids: &[JobId],
        at_most: usize,
        worker: &str,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        jobs::claim(&mut *self.store().connection().await?, ids, at_most, worker, lease).await
    }

    /// The lanes in which jobs wait or are under way, whether anybody here works them or not.
    pub async fn lanes_in_use(&self) -> Result<Vec<Lane>, StoreError> {
        jobs::lanes_in_use(&mut *self.store().connection().await?).await
    }

    /// Takes jobs of a lane that nobody works: those that have been due for so long. They are offered on the lane `inside`.
    pub async fn take_in(&self, lane: &Lane, overdue: Duration) -> Result<Vec<Offer>, StoreError> {
        const AT_ONCE: i64 = 1_000;
        let found = jobs::overdue(&mut *self.store().connection().await?, lane, overdue, AT_ONCE).await?;
        Ok(found.into_iter().map(|job| Offer { job, lane: Lane::inside() }).collect())
    }

    /// Finds due jobs of a lane for which no ring is on its way: never rung for, or rung for more than `lost_after` ago
    /// without effect.
    pub async fn sweep(&self, lane: &Lane, lost_after: Duration) -> Result<Swept, StoreError> {
        const AT_ONCE: i64 = 1_000;
        let found = jobs::sweep(&mut *self.store().connection().await?, lane, lost_after, AT_ONCE).await?;
        let lost = found.iter().filter(|job| job.was_lost).count();
        Ok(Swept {
            offers: found.into_iter().map(|swept| Offer { job: swept.job, lane: lane.clone() }).collect(),
            lost,
        })
    }

    /// Brings the dead letters of a filter back to life, oldest first, at most `limit`; says how many there were.
    pub async fn replay(&self, filter: &JobFilter, limit: i64) -> Result<usize, StoreError> {
        let dead = JobFilter { state: Some("dead".to_owned()), ..filter.clone() };
        let mut tx = self.store().begin().await?;
        let ids: Vec<JobId> = jobs::list(&mut tx, &dead, None, limit).await?.iter().map(jobs::JobRow::id).collect();
        let offers = jobs::replay(&mut tx, &ids).await?;
        tx.commit().await?;
        let replayed = offers.len();
        self.parts.bell.ring(offers, std::iter::empty());
        Ok(replayed)
    }

    /// Brings one dead letter back to life; says whether it was one.
    pub async fn replay_one(&self, job: JobId) -> Result<bool, StoreError> {
        let offers = jobs::replay(&mut *self.store().connection().await?, &[job]).await?;
        let replayed = !offers.is_empty();
        self.parts.bell.ring(offers, std::iter::empty());
        Ok(replayed)
    }
}
