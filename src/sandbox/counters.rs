//! Counts the calls of each operation, the outcomes of callbacks, and how many calls of a gateway ran at once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::shards::lock;

#[derive(Default)]
pub struct Counters {
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    under_way: Mutex<BTreeMap<&'static str, UnderWay>>,
}

/// The number of running calls of one gateway: the current number, and the largest number so far.
#[derive(Default)]
struct UnderWay {
    now: u64,
    at_most: u64,
}

/// A running call, which ends when this value is dropped.
pub struct RunningCall<'a> {
    counters: &'a Counters,
    gateway: &'static str,
}

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        lock(&self.counters.under_way).entry(self.gateway).or_default().now -= 1;
    }
}

impl Counters {
    pub fn begin(&self, gateway: &'static str) -> RunningCall<'_> {
        let mut under_way = lock(&self.under_way);
        let under_way = under_way.entry(gateway).or_default();
        under_way.now += 1;
        under_way.at_most = under_way.at_most.max(under_way.now);
        RunningCall { counters: self, gateway }
    }

    /// The largest number of calls to a gateway that ran at the same time.
    pub fn at_once(&self, gateway: &'static str) -> u64 {
        lock(&self.under_way).get(gateway).map_or(0, |under_way| under_way.at_most)
    }

    pub fn count(&self, gateway: &'static str, name: &str) {
        let mut counts = lock(&self.counts);
        // There are few names, and nearly every call uses a known name. A linear search avoids allocating a key for the
        // map.
        match counts.iter_mut().find(|((of, known), _)| *of == gateway && known == name) {
            Some((_, count)) => *count += 1,
            None => {
                counts.insert((gateway, name.to_owned()), 1);
            }
        }
    }

    pub fn all(&self) -> BTreeMap<&'static str, BTreeMap<String, u64>> {
        let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for ((gateway, name), count) in lock(&self.counts).iter() {
            all.entry(*gateway).or_default().insert(name.clone(), *count);
        }
        all
    }

    pub fn get(&self, gateway: &'static str, name: &str) -> u64 {
        lock(&self.counts).get(&(gateway, name.to_owned())).copied().unwrap_or_default()
    }

    /// Resets all counts. Calls that are still running stay counted as running.
    pub fn clear(&self) {
        lock(&self.counts).clear();
        lock(&self.under_way).values_mut().for_each(|under_way| under_way.at_most = under_way.now);
    }
}
