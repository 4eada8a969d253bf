//! The pulse of a worker: when each lane last came round. A process that answers but no longer consumes is found out
//! by this (`/readyz`), not by its customers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::domain::work::job::Lane;

/// When each lane last came round. Cloning shares it.
#[derive(Clone, Default)]
pub struct Pulse(Arc<Mutex<BTreeMap<Lane, Stopwatch>>>);

impl Pulse {
    /// A lane came round.
    pub fn beat(&self, lane: &Lane) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = beats.get_mut(lane) {
            *beat = Stopwatch::start();
        } else {
            beats.insert(lane.clone(), Stopwatch::start());
        }
    }

    /// How long ago each lane came round.
    #[must_use]
    pub fn rounds(&self) -> Vec<(Lane, Duration)> {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.iter().map(|(lane, beat)| (lane.clone(), beat.elapsed())).collect()
    }
}
