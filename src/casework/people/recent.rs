//! Caches the accounts of API clients and officers for [`RECENT_FOR`], so that a busy client does not cost a database
//! look-up for each request. A revoked or changed account is used for this time longer.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::domain::kernel::clock::Stopwatch;

/// How long a cached value is used.
const RECENT_FOR: Duration = Duration::from_secs(1);

/// The size of the cache. The least recently used value is dropped first.
const REMEMBERED: usize = 4096;

/// Cached values by id. Cloning shares the cache.
pub struct Recent<I, T>(Arc<Cache<I, Entry<T>>>);

/// A value with the time since its look-up.
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
    /// Finds a value that is not too old.
    pub fn find(&self, id: &I) -> Option<Arc<T>> {
        let (since, known) = self.0.get(id)?;
        (since.elapsed() < RECENT_FOR).then_some(known)
    }

    /// Caches the result of a look-up. If it found nothing, drops the cached value.
    pub fn remember(&self, id: I, found: Option<&Arc<T>>) {
        match found {
            Some(found) => self.0.insert(id, (Arc::new(Stopwatch::start()), Arc::clone(found))),
            None => drop(self.0.remove(&id)),
        }
    }
}
