//! What was looked up a moment ago. A busy client hands in thousands of decisions a second, and an officer opens one case
//! after another; who they are is not read from the record for each request. Whoever is shut out, or given another role,
//! stays as they were for [`RECENT_FOR`] at the most.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::domain::kernel::clock::Stopwatch;

/// How long something need not be looked up again.
const RECENT_FOR: Duration = Duration::from_secs(1);

/// How much is remembered; what was not asked for lately is forgotten first.
const REMEMBERED: usize = 4096;

/// What was looked up, by its id. Cloning shares it.
pub struct Recent<I, T>(Arc<Cache<I, Entry<T>>>);

/// Something, and since when it is known.
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
    /// What was looked up a moment ago.
    #[must_use]
    pub fn find(&self, id: &I) -> Option<Arc<T>> {
        let (since, known) = self.0.get(id)?;
        (since.elapsed() < RECENT_FOR).then_some(known)
    }

    /// Remembers what a look-up found; what is no more is forgotten.
    pub fn remember(&self, id: I, found: Option<&Arc<T>>) {
        match found {
            Some(found) => self.0.insert(id, (Arc::new(Stopwatch::start()), Arc::clone(found))),
            None => drop(self.0.remove(&id)),
        }
    }
}
