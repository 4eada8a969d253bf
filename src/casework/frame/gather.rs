//! Requests that come at the same moment and share a transaction, because a commit costs the database as much for one
//! of them as for many. A request that comes alone does not wait.
//!
//! One request at a time writes those that wait. If it is cancelled before the others have their outcomes, because its
//! client disconnects or its time is over, the others wait and are written again. So writing must be repeatable: the
//! writer must recognise a request that was written already.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, error::TryRecvError};

/// The most requests in one transaction.
const AT_ONCE: usize = 128;

/// Writes requests `R` of one kind together.
pub trait Writer<R> {
    /// What the client of one request is told.
    type Outcome: Send;
    /// Requests with the same key are never in the same transaction, because the later one must find the earlier one
    /// in the database.
    type Key: Ord;

    fn key(request: &R) -> Self::Key;

    /// Returns the outcomes in the order of the requests.
    fn write(&self, requests: Vec<R>) -> impl Future<Output = Vec<Self::Outcome>> + Send;
}

/// Requests `R` of one kind that wait for a writer, and the senders of their outcomes `O`.
pub struct Gather<R, O> {
    waiting: Mutex<VecDeque<Waiting<R, O>>>,
    /// Locked by the request that writes.
    writing: tokio::sync::Mutex<()>,
}

struct Waiting<R, O> {
    request: R,
    outcome: oneshot::Sender<O>,
}

impl<R, O> Default for Gather<R, O> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }
}

impl<R: Clone, O> Gather<R, O> {
    /// Writes a request, together with the others that wait, and returns its outcome.
    pub async fn write<W: Writer<R, Outcome = O>>(&self, request: R, writer: &W) -> O {
        loop {
            let mut outcome = self.add(request.clone());
            let writing = tokio::select! {
                biased;
                told = &mut outcome => match told {
                    Ok(told) => return told,
                    Err(_) => continue,
                },
                writing = self.writing.lock() => writing,
            };
            let told = self.write_until_told(&mut outcome, writer).await;
            drop(writing);
            if let Some(told) = told {
                return told;
            }
        }
    }

    /// Writes those that wait until `outcome` is told: more than [`AT_ONCE`] may have waited longer, or one with the same
    /// key. Returns `None` if the outcome is lost.
    async fn write_until_told<W: Writer<R, Outcome = O>>(
        &self,
        outcome: &mut oneshot::Receiver<O>,
        writer: &W,
    ) -> Option<O> {
        loop {
            self.write_waiting(writer).await;
            match outcome.try_recv() {
                Ok(told) => return Some(told),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => return None,
            }
        }
    }

    async fn write_waiting<W: Writer<R, Outcome = O>>(&self, writer: &W) {
        let (requests, senders): (Vec<R>, Vec<_>) = self.take(W::key).into_iter().map(Waiting::parts).unzip();
        if requests.is_empty() {
            return;
        }
        for (sender, outcome) in senders.into_iter().zip(writer.write(requests).await) {
            // This fails if the client disconnected. If it sends the request again, it learns the outcome.
            let _ = sender.send(outcome);
        }
    }

    fn add(&self, request: R) -> oneshot::Receiver<O> {
        let (sender, outcome) = oneshot::channel();
        self.lock().push_back(Waiting { request, outcome: sender });
        outcome
    }

    /// Takes the requests that waited longest, in the order of their keys, so that two processes lock rows in one order.
    /// Requests whose client disconnected are dropped.
    fn take<K: Ord>(&self, key: impl Fn(&R) -> K) -> Vec<Waiting<R, O>> {
        let mut waiting = self.lock();
        let mut taken = BTreeMap::new();
        let mut left = VecDeque::new();
        for one in waiting.drain(..).filter(|one| !one.outcome.is_closed()) {
            let key = key(&one.request);
            if taken.len() < AT_ONCE && !taken.contains_key(&key) {
                taken.insert(key, one);
            } else {
                left.push_back(one);
            }
        }
        *waiting = left;
        taken.into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting<R, O>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R, O> Waiting<R, O> {
    fn parts(self) -> (R, oneshot::Sender<O>) {
        (self.request, self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    /// Counts its transactions, and answers a request by its double. If `hangs`, it never answers.
    #[derive(Default)]
    struct Doubler {
        writes: AtomicUsize,
        hangs: bool,
    }

    impl Writer<u32> for Doubler {
        type Outcome = u32;
        type Key = u32;

        fn key(request: &u32) -> u32 {
            *request
        }

        async fn write(&self, requests: Vec<u32>) -> Vec<u32> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if self.hangs {
                std::future::pending::<()>().await;
            }
            requests.iter().map(|request| request * 2).collect()
        }
    }

    #[tokio::test]
    async fn requests_that_wait_share_a_write_and_each_gets_its_own_outcome() {
        let (gather, doubler) = (Gather::default(), Doubler::default());
        let outcomes = join_all((0..100).map(|request| gather.write(request, &doubler))).await;
        assert_eq!(outcomes, (0..100).map(|request| request * 2).collect::<Vec<_>>());
        let writes = doubler.writes.into_inner();
        assert!(writes <= 2, "{writes} writes");
    }

    #[tokio::test]
    async fn requests_with_the_same_key_are_written_one_after_the_other() {
        let (gather, doubler) = (Gather::default(), Doubler::default());
        assert_eq!(join_all((0..5).map(|_| gather.write(7, &doubler))).await, [14; 5]);
        assert_eq!(doubler.writes.into_inner(), 5);
    }

    #[tokio::test]
    async fn a_request_that_writes_while_others_waited_longer_is_written_too() {
        let (gather, doubler) = (Gather::default(), Doubler::default());
        let mut waiting: Vec<_> = (0..=u32::try_from(AT_ONCE).unwrap()).map(|request| gather.add(request)).collect();
        waiting.push(gather.add(7));
        assert_eq!(gather.write(7, &doubler).await, 14);
        assert!(waiting.iter_mut().all(|outcome| outcome.try_recv().is_ok()));
    }

    #[tokio::test]
    async fn requests_are_written_again_if_the_client_of_their_writer_disconnects() {
        let (gather, hangs, doubler) =
            (Gather::default(), Doubler { hangs: true, ..Doubler::default() }, Doubler::default());
        let mut writer = Box::pin(gather.write(1, &hangs));
        assert!(futures_util::poll!(&mut writer).is_pending());
        let mut waits = Box::pin(gather.write(9, &doubler));
        assert!(futures_util::poll!(&mut waits).is_pending(), "the first request writes");
        drop(writer);
        assert_eq!(waits.await, 18);
    }
}
