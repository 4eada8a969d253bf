//! The unfinished jobs in the database. Every process that reads them reports the same numbers.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::series::{LaneLabel, Seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waiting {
    lane: String,
    state: &'static str,
}

static JOBS: LazyLock<Family<Waiting, Gauge>> = LazyLock::new(Family::default);
static OLDEST: LazyLock<Family<LaneLabel, Seconds>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    let help = "Unfinished jobs in the database, counted up to 10000 for each lane and state";
    registry.register("songda_jobs", help, JOBS.clone());
    let help = "How long the oldest due job has been waiting to begin; 0 if none is due";
    registry.register_with_unit("songda_job_oldest_due_age", help, Unit::Seconds, OLDEST.clone());
}

/// The numbers of unfinished jobs of one lane (the queue of one gateway).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneBacklog<'a> {
    pub lane: &'a str,
    /// Jobs that are due, and that no worker has claimed.
    pub due: i64,
    /// Jobs that are due later.
    pub later: i64,
    /// Jobs that a worker has claimed.
    pub running: i64,
    /// Jobs that were given up (dead letters).
    pub dead: i64,
    /// How long the oldest due job has been due, in seconds.
    pub oldest_due: f64,
}

pub fn set(LaneBacklog { lane, due, later, running, dead, oldest_due }: LaneBacklog<'_>) {
    for (state, jobs) in [("due", due), ("later", later), ("running", running), ("dead", dead)] {
        JOBS.get_or_create(&Waiting { lane: lane.to_owned(), state }).set(jobs);
    }
    OLDEST.get_or_create(&LaneLabel::named(lane)).set(oldest_due);
}

/// Removes all numbers. Call it if the database does not answer: a missing number is better than an old one.
pub fn clear() {
    JOBS.clear();
    OLDEST.clear();
}
