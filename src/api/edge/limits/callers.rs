//! A map of callers with bounded memory: it forgets callers that have not called for long.

use std::collections::HashMap;

use crate::api::edge::limits::gcra::RatePolicy;

/// Stores a `T` for each pair of a caller and a policy, and at most twice `size` pairs. A new pair goes into the young
/// map. When the young map is full, it becomes the old map, and the previous old map is dropped. A pair in the old map
/// moves back to the young map when the caller calls again.
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

    /// Returns the `T` of a caller. Calls `new` if the caller is unknown or forgotten.
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
