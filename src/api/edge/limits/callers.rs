//! What a process remembers of its callers, in bounded memory.

use std::collections::HashMap;

use crate::api::edge::limits::bucket::Policy;

/// Something about each caller under each policy, of at most twice `size` callers: when so many were seen, those that were
/// not seen since the last time are forgotten.
pub struct Callers<T> {
    size: usize,
    young: HashMap<Key, T>,
    old: HashMap<Key, T>,
}

/// The policy's name, and the caller.
type Key = (&'static str, String);

impl<T> Callers<T> {
    /// With room for so many callers.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { size, young: HashMap::new(), old: HashMap::new() }
    }

    /// What is known of a caller; `new` if it was not seen, or forgotten.
    pub fn of(&mut self, policy: &Policy, caller: &str, new: impl FnOnce() -> T) -> &mut T {
        let key = (policy.name, caller.to_owned());
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
        let policy = Policy { name: "t", quota: 1, window: Duration::from_secs(60) };
        let mut seen = Callers::new(10);
        *seen.of(&policy, "busy", || 0) += 1;
        for caller in 0..1000 {
            assert_eq!(*seen.of(&policy, &caller.to_string(), || 0), 0);
            assert_eq!(*seen.of(&policy, "busy", || 0), 1);
        }
        assert!(seen.young.len() + seen.old.len() <= 20);
    }
}
