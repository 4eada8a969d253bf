//! Counts what was done to the product: only what really struck.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Counts by kind.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// One more of a kind.
    pub fn count(&self, kind: &str) {
        self.add(kind, 1);
    }

    /// So many more.
    pub fn add(&self, kind: &str, count: u64) {
        *self.0.lock().unwrap().entry(kind.to_owned()).or_default() += count;
    }

    /// A kind that somebody else counts: this many so far.
    pub fn set(&self, kind: &str, count: u64) {
        if count > 0 {
            self.0.lock().unwrap().insert(kind.to_owned(), count);
        }
    }

    /// How many of a kind.
    pub fn of(&self, kind: &str) -> u64 {
        self.0.lock().unwrap().get(kind).copied().unwrap_or_default()
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }

    /// How many there were of all kinds.
    pub fn total(&self) -> u64 {
        self.0.lock().unwrap().values().sum()
    }
}
