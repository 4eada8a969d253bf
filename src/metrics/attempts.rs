//! Attempts at jobs: counts by lane, kind and outcome, durations, and lost leases.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{LaneLabel, seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    lane: Arc<str>,
    kind: &'static str,
    outcome: &'static str,
    state: &'static str,
}

static ATTEMPTS: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);
static DURATIONS: LazyLock<Family<LaneLabel, Histogram>> = LazyLock::new(|| Family::new_with_constructor(seconds));
static TAKEN_OVER: LazyLock<Family<LaneLabel, Counter>> = LazyLock::new(Family::default);
static TOO_LATE: LazyLock<Counter> = LazyLock::new(Counter::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register(
        "songda_job_attempts",
        "Attempts at jobs, by how they ended and what state that leaves the job in",
        ATTEMPTS.clone(),
    );
    registry.register_with_unit(
        "songda_job_attempt_duration",
        "The duration of an attempt, all its calls together",
        Unit::Seconds,
        DURATIONS.clone(),
    );
    registry.register(
        "songda_job_leases_taken_over",
        "Jobs that this worker took over because another worker never settled its attempt",
        TAKEN_OVER.clone(),
    );
    registry.register(
        "songda_job_settlements_too_late",
        "Attempts of this worker that were not settled because their lease was lost",
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
    /// The counts of a lane, by its name.
    pub fn of(lane: &str) -> Self {
        let label = LaneLabel::named(lane);
        Self {
            duration: DURATIONS.get_or_create_owned(&label),
            taken_over: TAKEN_OVER.get_or_create_owned(&label),
            lane: label.lane,
        }
    }

    /// Counts an attempt. `state` is the state of its job afterwards.
    pub fn ended(&self, kind: &'static str, outcome: &'static str, state: &'static str, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        ATTEMPTS.get_or_create(&Labels { lane: Arc::clone(&self.lane), kind, outcome, state }).inc();
    }

    /// Counts jobs that were claimed after their lease had ended.
    pub fn taken_over(&self, jobs: usize) {
        self.taken_over.inc_by(jobs as u64);
    }
}

/// Counts attempts that were too late to be settled.
pub fn count_too_late(attempts: usize) {
    TOO_LATE.inc_by(attempts as u64);
}
