//! Attempts at jobs, by lane, kind and outcome: how many, how long they took, and what was lost on the way.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{OfLane, seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    lane: Arc<str>,
    kind: &'static str,
    outcome: &'static str,
    state: &'static str,
}

static ATTEMPTS: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);
static DURATIONS: LazyLock<Family<OfLane, Histogram>> = LazyLock::new(|| Family::new_with_constructor(seconds));
static TAKEN_OVER: LazyLock<Family<OfLane, Counter>> = LazyLock::new(Family::default);
static TOO_LATE: LazyLock<Counter> = LazyLock::new(Counter::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register(
        "songda_job_attempts",
        "Attempts at jobs, by how they ended and what state that leaves the job in",
        ATTEMPTS.clone(),
    );
    registry.register_with_unit(
        "songda_job_attempt_duration",
        "From the beginning of an attempt to its end, all its calls together",
        Unit::Seconds,
        DURATIONS.clone(),
    );
    registry.register(
        "songda_job_leases_taken_over",
        "Jobs that this worker took over because another never told how its attempt ended",
        TAKEN_OVER.clone(),
    );
    registry.register(
        "songda_job_settlements_too_late",
        "Attempts of this worker that were not written down because their lease was lost",
        TOO_LATE.clone(),
    );
}

/// The counts of one lane.
#[derive(Debug)]
pub struct Attempts {
    lane: Arc<str>,
    duration: Histogram,
    taken_over: Counter,
}

impl Attempts {
    /// Of a lane by its name.
    #[must_use]
    pub fn of(lane: &str) -> Self {
        let of_lane = OfLane::named(lane);
        Self {
            duration: DURATIONS.get_or_create_owned(&of_lane),
            taken_over: TAKEN_OVER.get_or_create_owned(&of_lane),
            lane: of_lane.lane,
        }
    }

    /// An attempt ended so, and left its job in this state.
    pub fn ended(&self, kind: &'static str, outcome: &'static str, state: &'static str, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        ATTEMPTS.get_or_create(&Labels { lane: Arc::clone(&self.lane), kind, outcome, state }).inc();
    }

    /// So many jobs were claimed whose lease had run out.
    pub fn taken_over(&self, jobs: usize) {
        self.taken_over.inc_by(jobs as u64);
    }
}

/// So many attempts could not be settled any more.
pub fn too_late(attempts: usize) {
    TOO_LATE.inc_by(attempts as u64);
}
