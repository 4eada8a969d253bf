//! A cache of accounts that were looked up a moment ago. A busy API client reports thousands of decisions a second, and an
//! officer opens one case after another; their accounts are not read from the database for each request. A revoked or changed
//! account is used for at most [`RECENT_FOR`] longer.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::domain::kernel::clock::Stopwatch;

/// How long a value is not looked up again.
const RECENT_FOR: Duration = Duration::from_secs(1);

/// How many values are cached; the least recently used is dropped first.
const REMEMBERED: usize = 4096;

/// Cached values by id. Cloning shares the cache.
pub struct Recent<I, T>(Arc<Cache<I, Entry<T>>>);

/// A value, and the time since it was looked up.
type Entry<T> = (Arc<Stopwatch>, Arc<T>);

impl<I, T> Clone for Recent<I, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I: Hash + Eq, T> Default for Recent<I, T> {
    fn default() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }
}

impl<I: Hash + Eq, T> Recent<I, T> {
    /// A value that was looked up a moment ago.
    pub fn find(&self, id: &I) -> Option<Arc<T>> {
        let (since, known) = self.0.get(id)?;
        (since.elapsed() < RECENT_FOR).then_some(known)
    }

    /// Caches what a look-up found, or drops a value that is gone.
    pub fn remember(&self, id: I, found: Option<&Arc<T>>) {
        match found {
            Some(found) => self.0.insert(id, (Arc::new(Stopwatch::start()), Arc::clone(found))),
            None => drop(self.0.remove(&id)),
        }
    }
}
