//! What the files here share: the few series of a small set of words, the label of a lane, and how time is counted.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// One series for each of a few words. A series begins when it is first used, so those that never are cost nothing, and
/// after that it is found without looking it up.
#[derive(Debug)]
pub(super) struct Series<M, const N: usize>([OnceLock<M>; N]);

impl<M, const N: usize> Series<M, N> {
    /// None has begun.
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; N])
    }

    /// The series of a word by its place; `None` if there is no such place.
    pub(super) fn at(&self, place: usize, begin: impl FnOnce() -> M) -> Option<&M> {
        self.0.get(place).map(|series| series.get_or_init(begin))
    }
}

/// Seconds from half a millisecond to half a minute, which is as long as anything here may take.
pub(super) fn seconds() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// So many seconds.
pub(super) type Seconds = Gauge<f64, AtomicU64>;

/// The label of what belongs to a lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfLane {
    pub(super) lane: Arc<str>,
}

impl OfLane {
    pub(super) fn named(lane: &str) -> Self {
        Self { lane: lane.into() }
    }
}
