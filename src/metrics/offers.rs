//! Offers: the ids of jobs that are put on the streams, after a commit or by the sweeper.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::series::OfLane;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The process that committed, at once.
    Relay,
    /// The sweeper, when a job falls due or its ring was lost.
    Sweeper,
}

impl By {
    const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Sweeper => "sweeper",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Offered {
    by: &'static str,
}

static OFFERS: LazyLock<Family<Offered, Counter>> = LazyLock::new(Family::default);
static FAILED: LazyLock<Family<Offered, Counter>> = LazyLock::new(Family::default);
static LOST: LazyLock<Family<OfLane, Counter>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_job_offers", "Jobs whose id was put on a stream", OFFERS.clone());
    registry.register(
        "songda_job_offers_failed",
        "Tries to put a job's id on a stream that Redis did not take; they are repeated",
        FAILED.clone(),
    );
    registry.register(
        "songda_job_rings_lost",
        "Jobs that the sweeper offered again because no stream held their id any more",
        LOST.clone(),
    );
}

/// Counts from nought, so that the first that fails is seen as one more.
pub fn begin(by: By) {
    made(by, 0, true);
}

/// So many jobs were offered, well or in vain.
pub fn made(by: By, jobs: usize, well: bool) {
    let (offered, jobs) = (Offered { by: by.name() }, jobs as u64);
    OFFERS.get_or_create(&offered).inc_by(if well { jobs } else { 0 });
    FAILED.get_or_create(&offered).inc_by(if well { 0 } else { jobs });
}

/// The rings of so many jobs of a lane were lost.
pub fn lost(lane: &str, jobs: usize) {
    LOST.get_or_create(&OfLane::named(lane)).inc_by(jobs as u64);
}
