//! Places for verifications: so many at a time, and no tenant takes more of them than it leaves free.
//!
//! Whoever comes first finds half of the places, whoever comes beside a flood half of what is left.
//! Nobody waits for a place: who finds none is told so at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aureole_ledger::TenantId;

/// How many places each tenant holds.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    held: Mutex<BTreeMap<TenantId, usize>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    tenant: TenantId,
}

/// No place for a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoPlace {
    /// How many it holds.
    pub(super) held: usize,
    /// How many are free.
    pub(super) free: usize,
}

// === impl Places ===

impl Places {
    /// All free.
    pub(super) fn new(max: usize) -> Arc<Self> {
        let held = Mutex::default();
        Arc::new(Self { max, held })
    }

    /// A place for a tenant that holds fewer than are free.
    pub(super) fn take(self: &Arc<Self>, tenant: &TenantId) -> Result<Place, NoPlace> {
        let mut all = self.held();
        let free = self.max.saturating_sub(all.values().sum());
        let held = all.get(tenant).copied().unwrap_or(0);
        if held >= free {
            return Err(NoPlace { held, free });
        }
        all.insert(tenant.clone(), held + 1);
        Ok(Place {
            places: Arc::clone(self),
            tenant: tenant.clone(),
        })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<TenantId, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.held();
        if let Some(held) = all.get_mut(&self.tenant) {
            *held -= 1;
            // Names of tenants that ask no more are not kept.
            if *held == 0 {
                all.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Who finds a place beside whom.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    /// As many places as a tenant gets.
    fn all(places: &Arc<Places>, name: &str) -> Vec<Place> {
        std::iter::from_fn(|| places.take(&tenant(name)).ok()).collect()
    }

    #[test]
    fn a_tenant_takes_no_more_places_than_it_leaves_free() {
        let places = Places::new(16);
        let first = all(&places, "a");
        let second = all(&places, "b");
        let third = all(&places, "c");
        assert_eq!((first.len(), second.len(), third.len()), (8, 4, 2));
        let refused = places.take(&tenant("a")).unwrap_err();
        assert_eq!(refused, NoPlace { held: 8, free: 2 });
        drop((first, second, third));
        assert!(places.held().is_empty());
        assert_eq!(all(&places, "c").len(), 8);
    }

    #[test]
    fn when_nothing_is_free_nobody_finds_a_place() {
        let places = Places::new(2);
        let held: Vec<_> = ["a", "b"].map(|name| all(&places, name)).into();
        assert_eq!(held.iter().map(Vec::len).sum::<usize>(), 2);
        let refused = places.take(&tenant("c")).unwrap_err();
        assert_eq!(refused, NoPlace { held: 0, free: 0 });
    }
}
