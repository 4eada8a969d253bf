//! The queue of reported decisions that come alone in a request, not in a batch. Under load, one transaction writes
//! many of these decisions, because a commit costs as much for one decision as for many. If only one decision is
//! waiting, it is written at once.
//!
//! The request that gets a permit to write (there are [`WRITERS`]) writes the waiting decisions of all requests, at
//! most [`AT_ONCE`] at a time. If the client of this request disconnects before the decisions are written, the other
//! requests queue their decisions again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use super::report::{Recorded, Reported};
use crate::store::StoreError;

/// The maximum number of transactions that write these decisions at the same time.
const WRITERS: usize = 1;
/// The maximum number of decisions in one transaction.
const AT_ONCE: usize = 128;

pub(super) type RecordOutcome = Result<Recorded, StoreError>;

pub struct Gather {
    waiting: Mutex<VecDeque<Waiting>>,
    pub(super) writers: Semaphore,
    under_way: Mutex<BTreeSet<RequestName>>,
}

/// The identity of a request: the source (the name of the reporting system), the system's reference for the decision,
/// and the `Idempotency-Key`.
type RequestName = (String, String, Option<String>);

/// Marks a request as in progress until this value is dropped.
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
    /// Marks a request as in progress; `None` if this process is working on the same request already. If another
    /// process is working on it, the statement that writes the decision waits for that process in the database. This
    /// process then finds the decision in the database.
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

    /// Takes the decisions that have waited longest. Of two decisions with the same reference it takes only the first,
    /// because the second must find the first in the database. Decisions whose client has disconnected are dropped.
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
