//! A map in pieces, each behind its own lock, so that thousands of calls a second do not queue for one. No lock is
//! ever held over an await: they are taken and given back inside these functions.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

const PIECES: usize = 64;

/// A map from text to values.
pub struct Shards<V> {
    pieces: Vec<Mutex<HashMap<String, V>>>,
    hasher: RandomState,
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { pieces: (0..PIECES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl<V> Shards<V> {
    /// Works on the piece in which a key lives.
    pub fn with<R>(&self, key: &str, act: impl FnOnce(&mut HashMap<String, V>) -> R) -> R {
        let index = self.hasher.hash_one(key) as usize % PIECES;
        // The index is below PIECES, which is how many there are.
        act(&mut lock(&self.pieces[index]))
    }

    /// Works on every value, one piece after the other.
    pub fn each(&self, mut act: impl FnMut(&str, &mut V)) {
        for piece in &self.pieces {
            for (key, value) in lock(piece).iter_mut() {
                act(key, value);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| lock(piece).len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&self) {
        for piece in &self.pieces {
            lock(piece).clear();
        }
    }
}

impl<V: Clone> Shards<V> {
    /// A copy of the value of a key.
    pub fn get(&self, key: &str) -> Option<V> {
        self.with(key, |piece| piece.get(key).cloned())
    }
}

/// Takes a lock. A thread that panicked while it held it left nothing half done that matters here.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
