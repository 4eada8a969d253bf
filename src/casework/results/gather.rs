//! Gathers decisions that are handed in one at a time, but at the same time, into one transaction.
//!
//! A commit costs the database as much for one decision as for many, so under load they share it; a decision that comes
//! alone waits for nobody. Whoever finds a pen free writes down all that wait, for everybody. If it is gone before it
//! wrote (its caller hung up), nothing was written, and the others begin anew.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::record::Reported;
use super::{BackOffice, NewResult, Recorded, RowRefusal};
use crate::casework::Casework;
use crate::casework::frame::idempotency::OnceError;
use crate::store::StoreError;

/// How many transactions are written at once.
const PENS: usize = 1;
/// How many decisions share one at the most.
const AT_ONCE: usize = 128;
/// How long a transaction may take. PostgreSQL ends sooner whatever it works on, so the line to it is silent.
const RECORD_WITHIN: Duration = Duration::from_secs(20);

type Outcome = Result<Recorded, StoreError>;

/// Decisions that wait to be written down.
pub struct Gather {
    waiting: Mutex<VecDeque<Waiting>>,
    pens: Semaphore,
    under_way: Mutex<BTreeSet<Request>>,
}

/// What tells one request from another: source, reference and key.
type Request = (String, String, Option<String>);

/// A request that is being worked on, until its answer is given or its caller hangs up.
struct UnderWay<'g> {
    gather: &'g Gather,
    request: Request,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.gather.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

struct Waiting {
    reported: Reported,
    answer: oneshot::Sender<Outcome>,
}

impl Default for Gather {
    fn default() -> Self {
        Self { waiting: Mutex::default(), pens: Semaphore::new(PENS), under_way: Mutex::default() }
    }
}

impl Gather {
    /// Enters a request, unless the very same is being worked on here. (Where another process is at it, this one waits for
    /// the other's row, and finds what it became.)
    fn enter(&self, reported: &Reported) -> Option<UnderWay<'_>> {
        let (source, reference) = reported.key();
        let request = (source, reference, reported.key.clone());
        let is_new = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone());
        is_new.then(|| UnderWay { gather: self, request })
    }

    fn add(&self, reported: Reported) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        self.lock().push_back(Waiting { reported, answer });
        outcome
    }

    /// Takes those that waited longest, each reference once: the same again must find what the first became. Whoever
    /// does not listen any more hung up.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let mut seen = BTreeSet::new();
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
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

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Casework {
    /// Records one reported decision, together with others that are reported at this moment. With the key of its request it
    /// is done once: the row that it becomes remembers both, so that this costs no statement.
    ///
    /// # Errors
    /// When the record is unavailable: then nothing was recorded, and the same may be reported again.
    pub async fn record_result(&self, office: BackOffice, result: NewResult, key: String) -> Outcome {
        let reported = Reported { office, result, key: Some(key) };
        let Some(_until_answered) = self.gather.enter(&reported) else {
            return Ok(Recorded::Refused(RowRefusal::Once(OnceError::InProgress)));
        };
        loop {
            let mut outcome = self.gather.add(reported.clone());
            let pen = tokio::select! {
                biased;
                told = &mut outcome => match told {
                    Ok(told) => return told,
                    Err(_) => continue,
                },
                pen = self.gather.pens.acquire() => pen,
            };
            self.record_gathered(self.gather.take()).await;
            drop(pen);
            if let Ok(told) = outcome.await {
                return told;
            }
        }
    }

    async fn record_gathered(&self, gathered: Vec<Waiting>) {
        let (reported, answers): (Vec<Reported>, Vec<_>) =
            gathered.into_iter().map(|Waiting { reported, answer }| (reported, answer)).unzip();
        let recorded = tokio::time::timeout(RECORD_WITHIN, self.record_results(&reported)).await;
        let outcomes: Vec<Outcome> = match recorded.unwrap_or_else(|_| Err(StoreError::silent())) {
            Ok(recorded) => recorded.into_iter().map(Ok).collect(),
            Err(error) => answers.iter().map(|_| Err(error.clone())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that hung up meanwhile will find its decision recorded when it asks again.
            let _ = answer.send(outcome);
        }
    }
}
