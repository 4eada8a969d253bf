//! The reported decisions that this process is recording, each from a request of its own.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::report::{Recorded, Reported};
use crate::casework::frame::gather::Gather;
use crate::store::StoreError;

pub(super) type RecordOutcome = Result<Recorded, StoreError>;

#[derive(Default)]
pub struct Reports {
    in_progress: Mutex<BTreeSet<RequestName>>,
    pub(super) gather: Gather<Reported, RecordOutcome>,
}

/// The identity of a request: the source (the name of the reporting system), the system's reference for the decision,
/// and the `Idempotency-Key`.
type RequestName = (String, String, Option<String>);

/// Marks a request as in progress until this value is dropped.
pub(super) struct InProgress<'r> {
    reports: &'r Reports,
    request: RequestName,
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.reports.in_progress.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

impl Reports {
    /// Marks a request as in progress; `None` if this process is working on the same request already. If another
    /// process is working on it, the statement that writes the decision waits for that process in the database. This
    /// process then finds the decision in the database.
    pub(super) fn enter(&self, reported: &Reported) -> Option<InProgress<'_>> {
        let (source, reference) = reported.key();
        let request = (source, reference, reported.key.clone());
        let is_new = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone());
        is_new.then(|| InProgress { reports: self, request })
    }
}
