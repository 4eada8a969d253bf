//! The metrics of attempts at jobs: the number of attempts (by lane, kind and outcome), their durations, and the number
//! of lost leases. A lease is a worker's claim on a job for a limited time.

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
    let help = "Attempts at jobs, by how they ended and what state that leaves the job in";
    registry.register("songda_job_attempts", help, ATTEMPTS.clone());
    let help = "The duration of an attempt, all its calls together";
    registry.register_with_unit("songda_job_attempt_duration", help, Unit::Seconds, DURATIONS.clone());
    let help = "Jobs that this worker took over because another worker never settled its attempt";
    registry.register("songda_job_leases_taken_over", help, TAKEN_OVER.clone());
    let help = "Attempts of this worker that were not settled because their lease was lost";
    registry.register("songda_job_settlements_too_late", help, TOO_LATE.clone());
}

/// The metrics of one lane, looked up once.
#[derive(Debug)]
pub struct Attempts {
    lane: Arc<str>,
    duration: Histogram,
    taken_over: Counter,
}

impl Attempts {
    pub fn of(lane: &str) -> Self {
        let label = LaneLabel::named(lane);
        Self {
            duration: DURATIONS.get_or_create_owned(&label),
            taken_over: TAKEN_OVER.get_or_create_owned(&label),
            lane: label.lane,
        }
    }

    /// Counts an ended attempt, and observes its duration. `state` is the state of the job after the attempt.
    pub fn ended(&self, kind: &'static str, outcome: &'static str, state: &'static str, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        ATTEMPTS.get_or_create(&Labels { lane: Arc::clone(&self.lane), kind, outcome, state }).inc();
    }

    /// Counts jobs that were claimed after another worker's lease had ended.
    pub fn taken_over(&self, jobs: usize) {
        self.taken_over.inc_by(jobs as u64);
    }
}

/// Counts attempts that were not settled because their lease was lost.
pub fn count_too_late(attempts: usize) {
    TOO_LATE.inc_by(attempts as u64);
}
