//! The health of a worker. Each lane (the queue of jobs for one gateway) runs a loop that reads and starts jobs. The
//! health is the time since each loop last finished a round. `/readyz` uses it to detect a process that still answers
//! requests but no longer does jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;

/// The time at which each lane last finished a round of its loop. Clones share the state.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<Lane, Stopwatch>>>);

impl Health {
    /// Records that a lane has just finished a round of its loop.
    pub fn beat(&self, lane: &Lane) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = beats.get_mut(lane) {
            *beat = Stopwatch::start();
        } else {
            beats.insert(lane.clone(), Stopwatch::start());
        }
    }

    /// Returns the time since each lane last finished a round of its loop.
    pub fn rounds(&self) -> Vec<(Lane, Duration)> {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.iter().map(|(lane, beat)| (lane.clone(), beat.elapsed())).collect()
    }
}
