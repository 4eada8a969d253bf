//! The data of `songda top`: the job counts of each lane from PostgreSQL, and the workers' heartbeats from Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use songda::domain::kernel::clock::{Clock, Instant};
use songda::domain::kernel::private::Private;
use songda::domain::work::job::Lane;
use songda::queue::Queue;
use songda::queue::heartbeat::{Heartbeat, LaneHeartbeat};
use songda::store::jobs::{LaneCounts, lane_counts};
use songda::store::{StoreError, condition};
use sqlx::PgConnection;

use crate::commands::lanes;

/// Counting the jobs of a lane stops at this number. The count is then shown with a `+`.
pub const MOST: i64 = 10_000;
/// The time-out of a read. After it the server counts as unreachable.
const TIME_OUT: Duration = Duration::from_secs(3);

/// The state of all lanes and workers at one time.
#[derive(Debug, Clone)]
pub struct Board {
    pub at: Instant,
    /// The lanes that have jobs or workers.
    pub lanes: Vec<LaneBoard>,
    /// The workers' heartbeats, by the workers' names.
    pub workers: BTreeMap<String, Heartbeat>,
    /// A text that names the servers that did not answer, if any. Their part of the board is from an earlier read.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone)]
pub struct LaneBoard {
    pub standing: LaneCounts,
    /// The lane's part of each worker's heartbeat.
    pub crews: Vec<LaneHeartbeat>,
}

impl LaneBoard {
    /// Returns the number of busy slots and of all slots, summed over the workers. A worker can make one attempt at a
    /// time in each slot.
    pub fn slots(&self) -> (usize, usize) {
        self.crews.iter().fold((0, 0), |(busy, slots), crew| (busy + crew.busy, slots + crew.slots))
    }

    /// The number of attempts that all workers together finish per second.
    pub fn per_second(&self) -> f64 {
        self.crews.iter().fold(0.0, |sum, crew| sum + crew.per_second)
    }

    /// The number of workers whose circuit breaker for this lane is open or half-open.
    pub fn held_back(&self) -> usize {
        self.crews.iter().filter(|crew| crew.breaker != "closed").count()
    }

    fn is_used(&self) -> bool {
        let LaneCounts { due, later, running, dead, .. } = self.standing;
        due + later + running + dead > 0 || !self.crews.is_empty()
    }
}

/// Reads the board repeatedly. It keeps the last data of a server that does not answer.
pub struct Watch {
    url: Private<String>,
    connection: Option<PgConnection>,
    queue: Queue,
    clock: Clock,
    standing: Vec<LaneCounts>,
    workers: BTreeMap<String, Heartbeat>,
}

impl Watch {
    pub fn new(url: Private<String>, queue: Queue, clock: Clock) -> Self {
        Self { url, connection: None, queue, clock, standing: Vec::new(), workers: BTreeMap::new() }
    }

    pub async fn look(&mut self) -> Board {
        let mut trouble = Vec::new();
        match tokio::time::timeout(TIME_OUT, self.read()).await {
            Ok(Ok(standing)) => self.standing = standing,
            Ok(Err(_)) | Err(_) => {
                self.connection = None;
                trouble.push("PostgreSQL does not answer");
            }
        }
        match tokio::time::timeout(TIME_OUT, self.queue.live_workers()).await {
            Ok(Ok(workers)) => self.workers = workers,
            Ok(Err(_)) | Err(_) => trouble.push("Redis does not answer"),
        }
        let lanes = board(&self.standing, &self.workers);
        let trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        Board { at: self.clock.now(), lanes, workers: self.workers.clone(), trouble }
    }

    async fn read(&mut self) -> Result<Vec<LaneCounts>, StoreError> {
        // A worker of another release can have lanes of gateways that this program does not know. The jobs of these
        // lanes are counted too.
        let said = self.workers.values().flat_map(|worker| &worker.lanes).map(|lane| lane.lane.clone());
        let mut lanes = lanes::all();
        for lane in said.map(Lane::from_stored) {
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(condition::connect(self.url.expose()).await?),
        };
        lane_counts(connection, &lanes, MOST).await
    }
}

/// Joins the job counts and the workers' heartbeats by lane. Unused lanes are left out.
fn board(standing: &[LaneCounts], workers: &BTreeMap<String, Heartbeat>) -> Vec<LaneBoard> {
    let of = |lane: &str| {
        let said = workers.values().flat_map(|worker| &worker.lanes);
        said.filter(|crew| crew.lane == lane).cloned().collect()
    };
    let lanes = standing.iter().map(|it| LaneBoard { standing: it.clone(), crews: of(&it.lane) });
    lanes.filter(LaneBoard::is_used).collect()
}
