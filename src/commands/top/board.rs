//! What `songda top` shows: what PostgreSQL knows of the lanes, beside what the workers say of themselves.

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

/// Jobs are counted up to this many.
pub const MOST: i64 = 10_000;
/// How long a look may take; then the server is as good as gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// One look at everything.
#[derive(Debug, Clone)]
pub struct Board {
    /// When.
    pub at: Instant,
    /// The lanes that are in use.
    pub lanes: Vec<LaneBoard>,
    /// The workers, by name.
    pub workers: BTreeMap<String, Heartbeat>,
    /// Why some of it is not of now.
    pub trouble: Option<String>,
}

/// One lane.
#[derive(Debug, Clone)]
pub struct LaneBoard {
    /// What waits in it.
    pub standing: LaneCounts,
    /// What each worker says of it.
    pub crews: Vec<LaneHeartbeat>,
}

impl LaneBoard {
    /// Slots of all workers: how many are busy, of how many.
    pub fn slots(&self) -> (usize, usize) {
        self.crews.iter().fold((0, 0), |(busy, slots), crew| (busy + crew.busy, slots + crew.slots))
    }

    /// Attempts that all workers end in a second.
    pub fn per_second(&self) -> f64 {
        self.crews.iter().fold(0.0, |sum, crew| sum + crew.per_second)
    }

    /// How many workers leave the gateway alone, or try it with one call.
    pub fn held_back(&self) -> usize {
        self.crews.iter().filter(|crew| crew.breaker != "closed").count()
    }

    fn is_used(&self) -> bool {
        let LaneCounts { due, later, running, dead, .. } = self.standing;
        due + later + running + dead > 0 || !self.crews.is_empty()
    }
}

/// Looks again and again. What cannot be seen now is shown as it was.
pub struct Watch {
    url: Private<String>,
    connection: Option<PgConnection>,
    queue: Queue,
    clock: Clock,
    standing: Vec<LaneCounts>,
    workers: BTreeMap<String, Heartbeat>,
}

impl Watch {
    /// Has not looked yet.
    pub fn new(url: Private<String>, queue: Queue, clock: Clock) -> Self {
        Self { url, connection: None, queue, clock, standing: Vec::new(), workers: BTreeMap::new() }
    }

    /// Looks.
    pub async fn look(&mut self) -> Board {
        let mut trouble = Vec::new();
        match tokio::time::timeout(PATIENCE, self.read()).await {
            Ok(Ok(standing)) => self.standing = standing,
            Ok(Err(_)) | Err(_) => {
                self.connection = None;
                trouble.push("PostgreSQL does not answer");
            }
        }
        match tokio::time::timeout(PATIENCE, self.queue.live_workers()).await {
            Ok(Ok(workers)) => self.workers = workers,
            Ok(Err(_)) | Err(_) => trouble.push("Redis does not answer"),
        }
        let lanes = board(&self.standing, &self.workers);
        let trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        Board { at: self.clock.now(), lanes, workers: self.workers.clone(), trouble }
    }

    async fn read(&mut self) -> Result<Vec<LaneCounts>, StoreError> {
        // The lanes of workers that know more gateways than this program.
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

/// Puts together what is known of each lane. Those that nobody uses are left out.
fn board(standing: &[LaneCounts], workers: &BTreeMap<String, Heartbeat>) -> Vec<LaneBoard> {
    let of = |lane: &str| {
        let said = workers.values().flat_map(|worker| &worker.lanes);
        said.filter(|crew| crew.lane == lane).cloned().collect()
    };
    let lanes = standing.iter().map(|it| LaneBoard { standing: it.clone(), crews: of(&it.lane) });
    lanes.filter(LaneBoard::is_used).collect()
}
