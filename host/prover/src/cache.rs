//! Values by circuit, within a byte budget; the least recently used go first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aureole_ir::CircuitDigest;

/// A cache that counts bytes. What is dropped from it lives on while somebody holds its `Arc`.
///
/// No lock is held while a value is built, see [`ParamsDir`](crate::ParamsDir) for why; the
/// first of two simultaneous builders wins.
#[derive(Debug)]
pub(crate) struct KeyCache<V> {
    budget: u64,
    inner: Mutex<Inner<V>>,
}

#[derive(Debug)]
struct Inner<V> {
    slots: BTreeMap<CircuitDigest, Slot<V>>,
    bytes: u64,
    clock: u64,
}

#[derive(Debug)]
struct Slot<V> {
    value: Arc<V>,
    bytes: u64,
    used_at: u64,
}

// === impl KeyCache ===

impl<V> KeyCache<V> {
    /// An empty cache of at most `budget` bytes.
    pub(crate) fn new(budget: u64) -> Self {
        let inner = Inner {
            slots: BTreeMap::new(),
            bytes: 0,
            clock: 0,
        };
        Self {
            budget,
            inner: Mutex::new(inner),
        }
    }

    /// The value, marked as used just now.
    pub(crate) fn get(&self, digest: &CircuitDigest) -> Option<Arc<V>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock = inner.clock.saturating_add(1);
        let now = inner.clock;
        let slot = inner.slots.get_mut(digest)?;
        slot.used_at = now;
        Some(Arc::clone(&slot.value))
    }

    /// Keeps a value and returns the one that is kept, which may be an earlier one.
    ///
    /// A value above the whole budget is not kept: the caller has it, and the next asker builds
    /// it again.
    pub(crate) fn put(&self, digest: CircuitDigest, value: V, bytes: u64) -> Arc<V> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = inner.slots.get(&digest) {
            return Arc::clone(&slot.value);
        }
        let value = Arc::new(value);
        if bytes > self.budget {
            tracing::warn!(%digest, bytes, budget = self.budget, "a key exceeds the cache's budget");
            return value;
        }
        while inner.bytes.saturating_add(bytes) > self.budget {
            let oldest = inner.slots.iter().min_by_key(|(_, slot)| slot.used_at);
            let Some(oldest) = oldest.map(|(digest, _)| *digest) else {
                break;
            };
            if let Some(slot) = inner.slots.remove(&oldest) {
                inner.bytes = inner.bytes.saturating_sub(slot.bytes);
            }
        }
        inner.clock = inner.clock.saturating_add(1);
        let slot = Slot {
            value: Arc::clone(&value),
            bytes,
            used_at: inner.clock,
        };
        inner.bytes = inner.bytes.saturating_add(bytes);
        inner.slots.insert(digest, slot);
        value
    }

    /// Bytes of all values kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bytes
    }

    /// The circuits whose values are kept.
    pub(crate) fn digests(&self) -> Vec<CircuitDigest> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.slots.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> CircuitDigest {
        CircuitDigest([number; 32])
    }

    #[test]
    fn the_least_recently_used_value_makes_room() {
        let cache = KeyCache::new(100);
        cache.put(digest(1), "one", 40);
        cache.put(digest(2), "two", 40);
        assert!(cache.get(&digest(1)).is_some());
        cache.put(digest(3), "three", 40);
        assert_eq!(cache.digests(), [digest(1), digest(3)]);
        assert_eq!(cache.bytes(), 80);
    }

    #[test]
    fn a_value_above_the_whole_budget_is_handed_back_but_not_kept() {
        let cache = KeyCache::new(100);
        cache.put(digest(1), "one", 40);
        assert_eq!(*cache.put(digest(2), "two", 101), "two");
        assert!(cache.get(&digest(2)).is_none());
        assert!(cache.get(&digest(1)).is_some());
    }

    #[test]
    fn the_first_of_two_builders_wins() {
        let cache = KeyCache::new(100);
        let first = cache.put(digest(1), "first", 40);
        let second = cache.put(digest(1), "second", 40);
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(cache.bytes(), 40);
    }
}
