//! How the lanes of this worker stand at the moment: slots, breakers, and whether they come round.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::series::{OfLane, Seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breaker {
    lane: String,
    state: &'static str,
}

static SLOTS: LazyLock<Family<OfLane, Gauge>> = LazyLock::new(Family::default);
static BUSY: LazyLock<Family<OfLane, Gauge>> = LazyLock::new(Family::default);
static BREAKERS: LazyLock<Family<Breaker, Gauge>> = LazyLock::new(Family::default);
static ROUNDS: LazyLock<Family<OfLane, Seconds>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_lane_slots", "How many attempts this worker can make at once", SLOTS.clone());
    registry.register("songda_lane_slots_busy", "How many attempts this worker is making", BUSY.clone());
    registry.register(
        "songda_lane_breaker",
        "1 for the state that the breaker before the gateway is in, 0 for the others",
        BREAKERS.clone(),
    );
    registry.register_with_unit(
        "songda_lane_since_round",
        "How long ago the lane last came round; one that grows is stuck",
        Unit::Seconds,
        ROUNDS.clone(),
    );
}

/// A breaker's states.
const STATES: [&str; 3] = ["closed", "open", "half_open"];

/// Notes how a lane stands. `breaker` is one of `closed`, `open`, `half_open`.
pub fn stands(lane: &str, slots: usize, busy: usize, breaker: &str) {
    let of_lane = OfLane::named(lane);
    SLOTS.get_or_create(&of_lane).set(i64::try_from(slots).unwrap_or(i64::MAX));
    BUSY.get_or_create(&of_lane).set(i64::try_from(busy).unwrap_or(i64::MAX));
    for state in STATES {
        BREAKERS.get_or_create(&Breaker { lane: lane.to_owned(), state }).set(i64::from(state == breaker));
    }
}

/// Notes how long ago a lane came round.
pub fn came_round(lane: &str, ago: Duration) {
    ROUNDS.get_or_create(&OfLane::named(lane)).set(ago.as_secs_f64());
}
