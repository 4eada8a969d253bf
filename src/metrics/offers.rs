//! Offers: job ids that are put on the streams, after a commit or by the sweeper.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::series::LaneLabel;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferedBy {
    /// The relay of the process that committed, at once.
    Relay,
    /// The sweeper, because a job fell due or its ring was lost.
    Sweeper,
}

impl OfferedBy {
    const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Sweeper => "sweeper",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfferLabel {
    by: &'static str,
}

static OFFERS: LazyLock<Family<OfferLabel, Counter>> = LazyLock::new(Family::default);
static FAILED: LazyLock<Family<OfferLabel, Counter>> = LazyLock::new(Family::default);
static LOST: LazyLock<Family<LaneLabel, Counter>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_job_offers", "Jobs whose id was put on a stream", OFFERS.clone());
    registry.register(
        "songda_job_offers_failed",
        "Job ids that Redis did not accept; the offer is repeated",
        FAILED.clone(),
    );
    registry.register(
        "songda_job_rings_lost",
        "Jobs that the sweeper offered again because no stream held their id any more",
        LOST.clone(),
    );
}

/// Creates both series at zero, so that the first failure shows as an increase.
pub fn begin(by: OfferedBy) {
    count_offered(by, 0);
    count_failed(by, 0);
}

pub fn count_offered(by: OfferedBy, jobs: usize) {
    OFFERS.get_or_create(&OfferLabel { by: by.name() }).inc_by(jobs as u64);
}

/// Counts jobs that Redis did not accept.
pub fn count_failed(by: OfferedBy, jobs: usize) {
    FAILED.get_or_create(&OfferLabel { by: by.name() }).inc_by(jobs as u64);
}

/// Counts jobs of a lane whose rings were lost.
pub fn count_lost(lane: &str, jobs: usize) {
    LOST.get_or_create(&LaneLabel::named(lane)).inc_by(jobs as u64);
}
