//! A map of callers whose memory is bounded.

use std::collections::HashMap;

use crate::api::edge::limits::gcra::RatePolicy;

/// Keeps a `T` for each caller and policy, for at most twice `size` callers. There are two generations of callers. When
/// the young one is full it replaces the old one, whose callers are then forgotten unless they called again meanwhile.
pub struct Callers<T> {
    size: usize,
    young: HashMap<Key, T>,
    old: HashMap<Key, T>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    policy: &'static str,
    caller: String,
}

impl<T> Callers<T> {
    pub fn new(size: usize) -> Self {
        Self { size, young: HashMap::new(), old: HashMap::new() }
    }

    /// The `T` of a caller. It is made by `new` if the caller is unknown or forgotten.
    pub fn of(&mut self, policy: &RatePolicy, caller: &str, new: impl FnOnce() -> T) -> &mut T {
        let key = Key { policy: policy.name, caller: caller.to_owned() };
        if self.young.len() >= self.size && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young.entry(key).or_insert_with_key(|key| old.remove(key).unwrap_or_else(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn memory_is_bounded_and_a_busy_caller_is_not_forgotten() {
        let policy = RatePolicy { name: "t", quota: 1, window: Duration::from_secs(60) };
        let mut seen = Callers::new(10);
        *seen.of(&policy, "busy", || 0) += 1;
        for caller in 0..1000 {
            assert_eq!(*seen.of(&policy, &caller.to_string(), || 0), 0);
            assert_eq!(*seen.of(&policy, "busy", || 0), 1);
        }
        assert!(seen.young.len() + seen.old.len() <= 20);
    }
}
