//! What waits, as the record tells it: the same for every process that asks.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::series::{OfLane, Seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waiting {
    lane: String,
    state: &'static str,
}

static JOBS: LazyLock<Family<Waiting, Gauge>> = LazyLock::new(Family::default);
static OLDEST: LazyLock<Family<OfLane, Seconds>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_jobs", "Jobs in the record that are not done, counted up to 10000 each", JOBS.clone());
    registry.register_with_unit(
        "songda_job_oldest_due_age",
        "For how long the oldest job has been due that nobody began; 0 if none is",
        Unit::Seconds,
        OLDEST.clone(),
    );
}

/// How many jobs of a lane are in each state, and for how many seconds the oldest that is due has been due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog<'a> {
    pub lane: &'a str,
    /// Could be done now, and are not begun.
    pub due: i64,
    /// Wait for their time.
    pub later: i64,
    /// Are held by a worker.
    pub running: i64,
    /// Were given up.
    pub dead: i64,
    /// In seconds.
    pub oldest_due: f64,
}

/// Notes what the record tells of a lane.
pub fn waits(Backlog { lane, due, later, running, dead, oldest_due }: Backlog<'_>) {
    for (state, jobs) in [("due", due), ("later", later), ("running", running), ("dead", dead)] {
        JOBS.get_or_create(&Waiting { lane: lane.to_owned(), state }).set(jobs);
    }
    OLDEST.get_or_create(&OfLane::named(lane)).set(oldest_due);
}

/// The record does not answer: better no number than an old one.
pub fn is_unknown() {
    JOBS.clear();
    OLDEST.clear();
}
