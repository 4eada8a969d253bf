//! Counts the faults that really struck.

use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    pub fn count(&self, kind: &str) {
        self.add(kind, 1);
    }

    pub fn add(&self, kind: &str, count: u64) {
        *self.0.lock().unwrap().entry(kind.to_owned()).or_default() += count;
    }

    /// Sets the count of a kind that is counted elsewhere.
    pub fn set(&self, kind: &str, count: u64) {
        if count > 0 {
            self.0.lock().unwrap().insert(kind.to_owned(), count);
        }
    }

    /// Returns the count of a kind.
    pub fn of(&self, kind: &str) -> u64 {
        self.0.lock().unwrap().get(kind).copied().unwrap_or_default()
    }

    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }

    /// Returns the sum of all counts.
    pub fn total(&self) -> u64 {
        self.0.lock().unwrap().values().sum()
    }
}
