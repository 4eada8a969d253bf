//! The health of a worker: when each lane last came round. `/readyz` uses it to find a process that answers but no
//! longer consumes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;

/// The last round of each lane. Cloning shares it.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<Lane, Stopwatch>>>);

impl Health {
    /// Notes that a lane came round.
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
