//! Offers: an offer puts the id of a due job on a Redis stream, where workers find it. The relay and the sweeper make
//! offers.

use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::series::{LaneLabel, Word};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferedBy {
    Relay,
    Sweeper,
}

impl OfferedBy {
    const fn label(self) -> Word {
        match self {
            Self::Relay => [("by", "relay")],
            Self::Sweeper => [("by", "sweeper")],
        }
    }
}

static OFFERS: LazyLock<Family<Word, Counter>> = LazyLock::new(Family::default);
static FAILED: LazyLock<Family<Word, Counter>> = LazyLock::new(Family::default);
static LOST: LazyLock<Family<LaneLabel, Counter>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_job_offers", "Jobs whose id was put on a stream", OFFERS.clone());
    let help = "Job ids that Redis did not accept; the offer is repeated";
    registry.register("songda_job_offers_failed", help, FAILED.clone());
    let help = "Jobs that the sweeper offered again because no stream held their id any more";
    registry.register("songda_job_rings_lost", help, LOST.clone());
}

/// Creates the counters of accepted and failed offers with the value zero, so that the first failure shows as an
/// increase.
pub fn begin(by: OfferedBy) {
    count_offered(by, 0);
    count_failed(by, 0);
}

pub fn count_offered(by: OfferedBy, jobs: usize) {
    OFFERS.get_or_create(&by.label()).inc_by(jobs as u64);
}

/// Counts jobs whose ids Redis did not accept.
pub fn count_failed(by: OfferedBy, jobs: usize) {
    FAILED.get_or_create(&by.label()).inc_by(jobs as u64);
}

/// Counts jobs that the sweeper offered again because their stream entries were lost.
pub fn count_lost(lane: &str, jobs: usize) {
    LOST.get_or_create(&LaneLabel::named(lane)).inc_by(jobs as u64);
}
