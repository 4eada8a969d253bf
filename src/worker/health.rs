//! The health of a worker: the time since each lane last finished a round of its loop. By this, `/readyz` reports a
//! process that still answers requests but does no jobs any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;

/// Cloning shares the state.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<Lane, Stopwatch>>>);

impl Health {
    /// Notes that a lane finished a round of its loop.
    pub fn beat(&self, lane: &Lane) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = beats.get_mut(lane) {
            *beat = Stopwatch::start();
        } else {
            beats.insert(lane.clone(), Stopwatch::start());
        }
    }

    /// The time since each lane last finished a round of its loop.
    pub fn rounds(&self) -> Vec<(Lane, Duration)> {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.iter().map(|(lane, beat)| (lane.clone(), beat.elapsed())).collect()
    }
}
