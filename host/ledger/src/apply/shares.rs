//! Tenants' shares: start-time fair queueing, written down where it cannot be lost.
//!
//! A lease starts at the tenant's `finish` or at the virtual time, whichever is later, and ends so
//! much after it as the task is charged, divided by the tenant's weight. Virtual time is the start of
//! the newest lease. Whoever had no work for a while starts at the virtual time, which is never later
//! than the next start of those who had: a newcomer's first task is the next to be leased.

use super::{Step, within};
use crate::limits::{SHARES_KEPT, WEIGHT_DEFAULT, WEIGHT_MAX};
use crate::{Outcome, Refusal, Share, State, TenantId};

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
        within("a tenant's weight", weight.into(), WEIGHT_MAX.into())?;
        if weight == 0 {
            return Err(Refusal::Limit {
                item: "a tenant's weight, at least 1,".to_owned(),
                value: 0,
                max: WEIGHT_MAX.into(),
            });
        }
        let share = self.facts_mut().shares.entry(tenant.clone()).or_default();
        share.weight = weight;
        self.drop_settled();
        Ok(Outcome::WeightSet)
    }

    /// Charges a tenant for a lease.
    pub(super) fn charge(&mut self, tenant: TenantId, charge: u64) {
        let facts = self.facts_mut();
        let share = facts.shares.entry(tenant).or_default();
        facts.virtual_time = share.lease(facts.virtual_time, charge);
        self.drop_settled();
    }

    /// Replaces what a tenant was charged for a lease by what it turned out to use.
    pub(super) fn settle_charge(&mut self, tenant: &TenantId, charged: u64, used: u64) {
        if let Some(share) = self.facts_mut().shares.get_mut(tenant) {
            let (less, more) = (share.length(charged), share.length(used));
            share.finish = share.finish.saturating_sub(less).saturating_add(more);
        }
    }

    /// Drops shares that decide nothing: of the default weight and in no debt.
    fn drop_settled(&mut self) {
        let facts = self.facts_mut();
        if facts.shares.len() > SHARES_KEPT {
            let now = facts.virtual_time;
            facts
                .shares
                .retain(|_, share| share.weight != WEIGHT_DEFAULT || share.finish > now);
        }
    }
}
