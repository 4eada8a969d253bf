//! The current state of this worker's lanes: slots (the number of attempts at the same time), circuit breakers, and the
//! time since each lane last looked for jobs.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::series::{LaneLabel, Seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breaker {
    lane: String,
    state: &'static str,
}

static SLOTS: LazyLock<Family<LaneLabel, Gauge>> = LazyLock::new(Family::default);
static BUSY: LazyLock<Family<LaneLabel, Gauge>> = LazyLock::new(Family::default);
static BREAKERS: LazyLock<Family<Breaker, Gauge>> = LazyLock::new(Family::default);
static ROUNDS: LazyLock<Family<LaneLabel, Seconds>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_lane_slots", "How many attempts this worker can make at once", SLOTS.clone());
    registry.register("songda_lane_slots_busy", "How many attempts this worker is making", BUSY.clone());
    let help = "1 for the current state of the gateway's breaker, 0 for the other states";
    registry.register("songda_lane_breaker", help, BREAKERS.clone());
    let help = "The time since the lane last finished a round of its loop; if it grows, the lane is stuck";
    registry.register_with_unit("songda_lane_since_round", help, Unit::Seconds, ROUNDS.clone());
}

const STATES: [&str; 3] = ["closed", "open", "half_open"];

/// Sets the metrics of the slots and the circuit breaker of one lane. `breaker` is `closed`, `open` or `half_open`.
pub fn set_status(lane: &str, slots: usize, busy: usize, breaker: &str) {
    let label = LaneLabel::named(lane);
    SLOTS.get_or_create(&label).set(i64::try_from(slots).unwrap_or(i64::MAX));
    BUSY.get_or_create(&label).set(i64::try_from(busy).unwrap_or(i64::MAX));
    for state in STATES {
        BREAKERS.get_or_create(&Breaker { lane: lane.to_owned(), state }).set(i64::from(state == breaker));
    }
}

pub fn set_since_round(lane: &str, ago: Duration) {
    ROUNDS.get_or_create(&LaneLabel::named(lane)).set(ago.as_secs_f64());
}
