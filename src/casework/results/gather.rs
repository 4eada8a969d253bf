//! The queue of decisions that are reported one at a time, but at the same moment, and share one transaction.
//!
//! A commit costs the database as much for one decision as for many, so under load decisions share it; a decision that comes
//! alone does not wait. The caller that gets the writing permit writes all waiting decisions. If it is dropped before it wrote
//! (its client hung up), nothing was written, and the others start again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use super::report::{Recorded, Reported};
use crate::store::StoreError;

/// How many transactions are written at the same time.
const WRITERS: usize = 1;
/// How many decisions share a transaction at most.
const AT_ONCE: usize = 128;

pub(super) type RecordOutcome = Result<Recorded, StoreError>;

/// Decisions that wait to be written.
pub struct Gather {
    waiting: Mutex<VecDeque<Waiting>>,
    pub(super) writers: Semaphore,
    under_way: Mutex<BTreeSet<RequestName>>,
}

/// What tells one request from another: source, reference and key.
type RequestName = (String, String, Option<String>);

/// A request that is being worked on, until its answer is given or its client hangs up.
pub(super) struct UnderWay<'g> {
    gather: &'g Gather,
    request: RequestName,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.gather.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

pub(super) struct Waiting {
    pub reported: Reported,
    pub answer: oneshot::Sender<RecordOutcome>,
}

impl Default for Gather {
    fn default() -> Self {
        Self { waiting: Mutex::default(), writers: Semaphore::new(WRITERS), under_way: Mutex::default() }
    }
}

impl Gather {
    /// Enters a request, unless this process is working on the very same one. (If another process is, this one waits for
    /// that process's row, and finds what it became.)
    pub(super) fn enter(&self, reported: &Reported) -> Option<UnderWay<'_>> {
        let (source, reference) = reported.key();
        let request = (source, reference, reported.key.clone());
        let is_new = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone());
        is_new.then(|| UnderWay { gather: self, request })
    }

    pub(super) fn add(&self, reported: Reported) -> oneshot::Receiver<RecordOutcome> {
        let (answer, outcome) = oneshot::channel();
        self.lock().push_back(Waiting { reported, answer });
        outcome
    }

    /// Takes the decisions that waited longest, each reference one time: a second report of a reference must find what the
    /// first became. Decisions whose client hung up are dropped.
    pub(super) fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let mut seen = BTreeSet::new();
        let mut taken = Vec::new();
        let mut left = VecDeque::new();
        for one in waiting.drain(..).filter(|one| !one.answer.is_closed()) {
            if taken.len() < AT_ONCE && seen.insert(one.reported.key()) {
                taken.push(one);
            } else {
                left.push_back(one);
            }
        }
        *waiting = left;
        taken
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
