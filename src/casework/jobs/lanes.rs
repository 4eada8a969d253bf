//! The lanes (one queue of jobs per gateway): counts of their jobs, and jobs whose ring was lost. A ring is the Redis
//! stream entry that announces a job to a worker.

use std::time::Duration;

use crate::casework::jobs::{Jobs, Swept};
use crate::domain::work::job::{Lane, Offer};
use crate::store::StoreError;
use crate::store::jobs::{self, Backlog, LaneCounts};

/// The maximum number of jobs that one sweep returns.
const AT_ONCE: i64 = 1_000;

impl Jobs<'_> {
    /// Returns the lanes that have pending jobs, including those of gateways that are not set up any more.
    pub async fn lanes_in_use(self) -> Result<Vec<Lane>, StoreError> {
        jobs::lanes_in_use(&mut *self.0.store().connection().await?).await
    }

    /// Returns overdue jobs of a lane that no worker serves, as offers on the lane `inside`, which every worker serves.
    pub async fn take_in(self, lane: &Lane, overdue: Duration) -> Result<Vec<Offer>, StoreError> {
        let found = jobs::overdue(&mut *self.0.store().connection().await?, lane, overdue, AT_ONCE).await?;
        Ok(found.into_iter().map(|job| Offer { job, lane: Lane::inside() }).collect())
    }

    /// Returns due jobs that were not offered since they became due, or that were offered more than `lost_after` ago
    /// and are not claimed.
    pub async fn sweep(self, lane: &Lane, lost_after: Duration) -> Result<Swept, StoreError> {
        let found = jobs::sweep(&mut *self.0.store().connection().await?, lane, lost_after, AT_ONCE).await?;
        let lost = found.iter().filter(|swept| swept.was_lost).count();
        Ok(Swept {
            offers: found.into_iter().map(|swept| Offer { job: swept.job, lane: lane.clone() }).collect(),
            lost,
        })
    }

    /// Counts the unfinished jobs of each lane up to `most`, including lanes of gateways that are not set up any more.
    pub async fn backlog(self, most: i64) -> Result<Vec<Backlog>, StoreError> {
        let push = self.0.parts.chain.iter().map(Lane::push);
        let codes = Lane::login(&self.0.parts.code_channel);
        let courier = self.0.carrier_codes.iter().map(Lane::courier);
        let here = [Lane::files(), Lane::inside()];
        let mut lanes: Vec<Lane> = push.chain([codes]).chain(courier).chain(here).collect();
        let mut connection = self.0.store().connection().await?;
        let in_use = jobs::lanes_in_use(&mut connection).await?.into_iter();
        lanes.extend(in_use.filter(|lane| !lanes.contains(lane)).collect::<Vec<_>>());
        jobs::backlog(&mut connection, &lanes, most).await
    }

    /// Counts the jobs of these lanes (due, due later, running, dead), each number up to `most`.
    pub async fn standing(self, lanes: &[Lane], most: i64) -> Result<Vec<LaneCounts>, StoreError> {
        jobs::lane_counts(&mut *self.0.store().connection().await?, lanes, most).await
    }
}
