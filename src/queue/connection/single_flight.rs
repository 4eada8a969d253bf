//! Something that is shared, takes a while to make, and may turn out to be of no use. It is made when it is needed, once
//! for all who wait for it, and anew after it was forgotten.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::RedisResult;

type Making<T> = Shared<BoxFuture<'static, RedisResult<T>>>;

/// The thing, or nothing yet.
pub(in crate::queue) struct Remade<T>(Mutex<Option<Making<T>>>);

impl<T: Clone> Remade<T> {
    pub(in crate::queue) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The thing that there is, or one that `make` makes. A failure is told to all who wait, and to nobody after them.
    pub(in crate::queue) async fn get<F>(&self, make: impl FnOnce() -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>> + Send + 'static,
    {
        let making = self.lock().get_or_insert_with(|| make().boxed().shared()).clone();
        let made = making.clone().await;
        if made.is_err() {
            let mut current = self.lock();
            if current.as_ref().is_some_and(|current| current.ptr_eq(&making)) {
                *current = None;
            }
        }
        made
    }

    /// Forgets the thing if it is of no use: whoever asks next gets another one. One that is being made stays.
    pub(in crate::queue) fn forget_if(&self, is_useless: impl FnOnce(&T) -> bool) {
        let mut current = self.lock();
        let made = current.as_ref().and_then(|making| making.peek()).and_then(|made| made.as_ref().ok());
        if made.is_some_and(is_useless) {
            *current = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Making<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redis::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn it_is_made_once_for_all_and_anew_when_it_is_useless() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let make = || async {
            tokio::task::yield_now().await;
            Ok(MADE.fetch_add(1, Ordering::Relaxed))
        };
        let remade = Remade::new();
        assert_eq!(tokio::join!(remade.get(make), remade.get(make)), (Ok(0), Ok(0)));
        remade.forget_if(|thing| *thing == 0);
        assert_eq!(remade.get(make).await, Ok(1));
        remade.forget_if(|thing| *thing == 0);
        assert_eq!(remade.get(make).await, Ok(1), "who found the old one useless knows nothing of the new one");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_wait_and_to_nobody_after_them() {
        let remade = Remade::new();
        let fail = || async {
            tokio::task::yield_now().await;
            Err((ErrorKind::Io, "away").into())
        };
        let (one, other) = tokio::join!(remade.get(fail), remade.get(fail));
        assert!(one.is_err() && other.is_err());
        assert_eq!(remade.get(|| async { Ok(1) }).await, Ok(1));
    }
}
