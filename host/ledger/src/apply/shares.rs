//! Tenants' shares: start-time fair queueing, written down where it cannot be lost.
//!
//! A lease starts at the tenant's `finish` or at the virtual time, whichever is later, and ends so
//! much after it as the task is charged, divided by the tenant's weight. Virtual time is the start of
//! the newest lease. Whoever had no work for a while starts at the virtual time, which is never later
//! than the next start of those who had: a newcomer's first task is the next to be leased.

use super::tenants::check_weight;
use super::{Step, within};
use crate::limits::{SHARES_KEPT, TENANTS_MAX, WEIGHT_DEFAULT};
use crate::{Lease, Millis, Outcome, Share, State, TenantId};

/// Virtual time of one thread-millisecond at the default weight, as a multiple of it: keeps
/// fractions.
const SCALE: u64 = 1000;

// === impl Share ===

impl Share {
    /// Returns the virtual time at which the next lease would start.
    pub(crate) fn start(self, virtual_time: u64) -> u64 {
        self.finish.max(virtual_time)
    }

    /// Moves the end of what was leased by one lease more; returns when that starts.
    pub(crate) fn lease(&mut self, virtual_time: u64, charge: u64) -> u64 {
        let start = self.start(virtual_time);
        self.finish = start.saturating_add(self.length(charge));
        start
    }

    fn length(self, charge: u64) -> u64 {
        let weight = u64::from(self.weight.max(1));
        (charge.saturating_mul(SCALE * u64::from(WEIGHT_DEFAULT)) / weight).max(1)
    }
}

// === impl State ===

impl State {
    pub(super) fn set_weight(&mut self, tenant: &TenantId, weight: u32) -> Step {
        check_weight(weight)?;
        let known = self.facts().tenants.contains_key(tenant);
        let count = self.facts().tenants.len() as u64 + u64::from(!known);
        within("tenants", count, TENANTS_MAX)?;
        let record = self.facts_mut().tenants.entry(tenant.clone()).or_default();
        record.weight = weight;
        Ok(Outcome::WeightSet)
    }

    /// Charges a tenant for a lease.
    pub(super) fn charge(&mut self, tenant: TenantId, charge: u64, now: Millis) {
        let mut share = self.share(&tenant);
        let facts = self.facts_mut();
        facts.virtual_time = share.lease(facts.virtual_time, charge);
        let known = facts.shares.insert(tenant.clone(), share.finish);
        if let Some(usage) = self.usage_mut(&tenant) {
            usage.spend(now, charge);
        }
        // Looks at every share: not at each lease of those that are many already.
        if known.is_none() {
            self.drop_settled();
        }
    }

    /// Replaces what a tenant was charged for a lease by what it turned out to use.
    pub(super) fn settle_charge(
        &mut self,
        tenant: &TenantId,
        lease: &Lease,
        used: u64,
        now: Millis,
    ) {
        let share = self.share(tenant);
        let (less, more) = (share.length(lease.charge), share.length(used));
        let facts = self.facts_mut();
        if let Some(finish) = facts.shares.get_mut(tenant) {
            *finish = finish.saturating_sub(less).saturating_add(more);
        }
        if let Some(usage) = self.usage_mut(tenant) {
            usage.correct(now, lease, used);
        }
    }

    /// Gives back of what was charged for an attempt without a result what it cannot have used.
    pub(super) fn give_back(&mut self, tenant: &TenantId, lease: &Lease, now: Millis) {
        let lasted = now.saturating_sub(lease.leased_at);
        let used = lasted.saturating_mul(u64::from(lease.threads));
        self.settle_charge(tenant, lease, used.min(lease.charge), now);
    }

    /// Drops shares that decide nothing: those in no debt.
    fn drop_settled(&mut self) {
        let facts = self.facts_mut();
        if facts.shares.len() > SHARES_KEPT {
            let now = facts.virtual_time;
            facts.shares.retain(|_, finish| *finish > now);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::SHARES_KEPT;
    use crate::{State, TenantId};

    fn tenant(number: usize) -> TenantId {
        TenantId::new(&format!("tenant-{number}")).unwrap()
    }

    #[test]
    fn shares_are_looked_over_when_a_tenant_is_new_and_at_no_other_lease() {
        let mut state = State::default();
        for number in 0..=SHARES_KEPT {
            state.charge(tenant(number), 10, 1);
        }
        let owed = state.share(&tenant(5)).finish;
        // Virtual time reaches what the others owe: their shares decide nothing any more.
        state.charge(tenant(0), 10, 1);
        assert_eq!(state.facts().virtual_time, owed);
        assert_eq!(state.facts().shares.len(), SHARES_KEPT + 1);
        state.charge(tenant(SHARES_KEPT + 1), 10, 1);
        assert_eq!(state.facts().shares.len(), 2);
    }
}
