//! Types that several metrics share. A series is one metric with one combination of labels.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// One series for each of a label's `N` values. A series is created when first used, and then needs no look-up.
#[derive(Debug)]
pub(super) struct Series<M, const N: usize>([OnceLock<M>; N]);

impl<M, const N: usize> Series<M, N> {
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; N])
    }

    /// Returns the series of a label value by its index; `None` if the index is too large.
    pub(super) fn at(&self, index: usize, begin: impl FnOnce() -> M) -> Option<&M> {
        self.0.get(index).map(|series| series.get_or_init(begin))
    }
}

/// Makes a histogram of durations. The upper bounds of its buckets go from half a millisecond to half a minute, which
/// is the time-out of all API requests except uploads.
pub(super) fn seconds() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

pub(super) type Seconds = Gauge<f64, AtomicU64>;

/// One label whose value is a constant of this program: `[("state", "busy")]`.
pub(super) type Word = [(&'static str, &'static str); 1];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LaneLabel {
    pub(super) lane: Arc<str>,
}

impl LaneLabel {
    pub(super) fn named(lane: &str) -> Self {
        Self { lane: lane.into() }
    }
}
