//! A map that is divided into shards, each with its own lock, because thousands of calls a second would wait for a
//! single lock. Every method of the map releases its lock before it returns, so no lock is held over an await.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 64;

pub struct Shards<V> {
    shards: Vec<Mutex<HashMap<String, V>>>,
    hasher: RandomState,
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl<V> Shards<V> {
    pub fn with<R>(&self, key: &str, act: impl FnOnce(&mut HashMap<String, V>) -> R) -> R {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        // The index is below SHARDS, the number of shards.
        act(&mut lock(&self.shards[index]))
    }

    pub fn each(&self, mut act: impl FnMut(&str, &mut V)) {
        for shard in &self.shards {
            for (key, value) in lock(shard).iter_mut() {
                act(key, value);
            }
        }
    }

    pub fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }
}

impl<V: Clone> Shards<V> {
    pub fn get(&self, key: &str) -> Option<V> {
        self.with(key, |shard| shard.get(key).cloned())
    }
}

/// Locks a mutex, even if a thread panicked while it held the lock. A panic cannot leave the data of the sandbox
/// inconsistent.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
