//! Remembers nonces and request numbers, which a caller may use only once.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;

use chrono::TimeDelta;

use super::shards::lock;
use crate::domain::kernel::clock::Instant;

/// Remembers each text for at least `period`. If calls come steadily, a text is forgotten after at most about twice
/// this time.
pub struct Seen {
    period: TimeDelta,
    hasher: RandomState,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    since: Option<Instant>,
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Seen {
    pub fn for_at_least(period: TimeDelta) -> Self {
        Self { period, hasher: RandomState::new(), generations: Mutex::default() }
    }

    /// Remembers a text. Returns true if the text was not remembered before.
    pub fn is_new(&self, text: &str, now: Instant) -> bool {
        let hash = self.hasher.hash_one(text);
        let generations = &mut *lock(&self.generations);
        if now - *generations.since.get_or_insert(now) > self.period {
            generations.old = std::mem::take(&mut generations.young);
            generations.since = Some(now);
        }
        !generations.old.contains(&hash) && generations.young.insert(hash)
    }

    pub fn clear(&self) {
        *lock(&self.generations) = Generations::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once_per_period() {
        let seen = Seen::for_at_least(TimeDelta::minutes(15));
        let start: Instant = "2026-01-02T00:00:00Z".parse().unwrap();
        let after = |minutes| start + TimeDelta::minutes(minutes);
        assert!(seen.is_new("a", start));
        assert!(!seen.is_new("a", after(14)));
        assert!(seen.is_new("b", after(16)));
        assert!(!seen.is_new("a", after(16)), "still in the older half");
        assert!(seen.is_new("c", after(32)));
        assert!(seen.is_new("a", after(33)), "forgotten");
    }
}
