//! Counts, by name: calls by operation, callbacks by what became of them, faults by kind.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::shards::lock;

/// Counts by gateway and name.
#[derive(Default)]
pub struct Counters(Mutex<BTreeMap<(&'static str, String), u64>>);

impl Counters {
    /// Counts one.
    pub fn count(&self, gateway: &'static str, name: &str) {
        let mut counts = lock(&self.0);
        // A walk rather than an owned key for every count: names are few and nearly always known.
        match counts.iter_mut().find(|((of, known), _)| *of == gateway && known == name) {
            Some((_, count)) => *count += 1,
            None => {
                counts.insert((gateway, name.to_owned()), 1);
            }
        }
    }

    /// All counts: gateway → name → count.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'static str, BTreeMap<String, u64>> {
        let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for ((gateway, name), count) in lock(&self.0).iter() {
            all.entry(*gateway).or_default().insert(name.clone(), *count);
        }
        all
    }

    /// One count.
    #[must_use]
    pub fn get(&self, gateway: &'static str, name: &str) -> u64 {
        lock(&self.0).get(&(gateway, name.to_owned())).copied().unwrap_or_default()
    }

    /// Forgets all.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}
