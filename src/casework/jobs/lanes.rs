//! The lanes: what waits in them, and jobs whose ring was lost.

use std::time::Duration;

use crate::casework::jobs::{Jobs, Swept};
use crate::domain::work::job::{Lane, Offer};
use crate::store::StoreError;
use crate::store::jobs::{self, Backlog, LaneCounts};

/// How many jobs a sweep takes at most.
const AT_ONCE: i64 = 1_000;

impl Jobs<'_> {
    /// The lanes in which jobs wait or are under way, even if no worker of this installation serves them.
    pub async fn lanes_in_use(self) -> Result<Vec<Lane>, StoreError> {
        jobs::lanes_in_use(&mut *self.0.store().connection().await?).await
    }

    /// Takes the jobs of a lane without a worker that have been due for `overdue`. They are offered on the lane `inside`.
    pub async fn take_in(self, lane: &Lane, overdue: Duration) -> Result<Vec<Offer>, StoreError> {
        let found = jobs::overdue(&mut *self.0.store().connection().await?, lane, overdue, AT_ONCE).await?;
        Ok(found.into_iter().map(|job| Offer { job, lane: Lane::inside() }).collect())
    }

    /// Finds due jobs of a lane without a ring on its way: never rung for, or rung for more than `lost_after` ago without
    /// effect.
    pub async fn sweep(self, lane: &Lane, lost_after: Duration) -> Result<Swept, StoreError> {
        let found = jobs::sweep(&mut *self.0.store().connection().await?, lane, lost_after, AT_ONCE).await?;
        let lost = found.iter().filter(|swept| swept.was_lost).count();
        Ok(Swept {
            offers: found.into_iter().map(|swept| Offer { job: swept.job, lane: lane.clone() }).collect(),
            lost,
        })
    }

    /// What waits in each lane of this installation, and in lanes that hold jobs of gateways no longer set up, counted up to
    /// `most`.
    pub async fn backlog(self, most: i64) -> Result<Vec<Backlog>, StoreError> {
        let push = self.0.parts.chain.iter().map(Lane::push);
        let codes = Lane::login(&self.0.parts.code_channel);
        let courier = self.0.carrier_codes.iter().map(Lane::courier);
        let mut lanes: Vec<Lane> = push.chain([codes]).chain(courier).chain([Lane::inside()]).collect();
        let mut connection = self.0.store().connection().await?;
        let in_use = jobs::lanes_in_use(&mut connection).await?.into_iter();
        lanes.extend(in_use.filter(|lane| !lanes.contains(lane)).collect::<Vec<_>>());
        jobs::backlog(&mut connection, &lanes, most).await
    }

    /// The condition of these lanes, counted up to `most`.
    pub async fn standing(self, lanes: &[Lane], most: i64) -> Result<Vec<LaneCounts>, StoreError> {
        jobs::lane_counts(&mut *self.0.store().connection().await?, lanes, most).await
    }
}
