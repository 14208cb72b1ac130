//! What each tenant has taken of something that all have together, so that none takes it all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aureole_ledger::TenantId;

/// Counts by tenant; clones share them. Who has nothing is not in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares(Arc<Mutex<BTreeMap<TenantId, u32>>>);

/// One that a tenant has; dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    tenant: TenantId,
}

// === impl Shares ===

impl Shares {
    /// Takes one for a tenant that may have so many.
    ///
    /// # Errors
    /// How many it has, when those are all it may.
    pub(crate) fn take(&self, tenant: &TenantId, max: u32) -> Result<Share, u32> {
        let mut taken = self.lock();
        let count = taken.get(tenant).copied().unwrap_or(0);
        if count >= max {
            return Err(count);
        }
        taken.insert(tenant.clone(), count.saturating_add(1));
        Ok(Share {
            shares: self.clone(),
            tenant: tenant.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Share ===

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.lock();
        if let Some(count) = taken.get_mut(&self.tenant) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Whose share is whose.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn who_has_all_it_may_leaves_others_theirs_and_gives_back() {
        let shares = Shares::default();
        let (greedy, other) = ("greedy".parse().unwrap(), "other".parse().unwrap());
        let first = shares.take(&greedy, 2).unwrap();
        let second = shares.take(&greedy, 2).unwrap();
        assert_eq!(shares.take(&greedy, 2).unwrap_err(), 2);
        drop(shares.take(&other, 2).unwrap());
        drop(first);
        drop(shares.take(&greedy, 2).unwrap());
        drop(second);
        assert!(shares.lock().is_empty());
    }
}
