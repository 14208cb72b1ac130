//! Queued tasks by tenant and priority, the oldest first: what an operator asks for, and no plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Millis, Priority, TaskId, TaskRecord, TenantId};

/// By tenant and level of priority; empty ones are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Depths {
    tenants: BTreeMap<TenantId, BTreeMap<Priority, BTreeSet<(Millis, TaskId)>>>,
}

// === impl Depths ===

impl Depths {
    pub(super) fn insert(&mut self, task: &TaskRecord) {
        let levels = match self.tenants.get_mut(&task.tenant) {
            Some(levels) => levels,
            None => self.tenants.entry(task.tenant.clone()).or_default(),
        };
        let queued = levels.entry(task.priority).or_default();
        queued.insert((task.submitted_at, task.id));
    }

    pub(super) fn remove(&mut self, task: &TaskRecord) {
        let Some(levels) = self.tenants.get_mut(&task.tenant) else {
            return;
        };
        let Some(queued) = levels.get_mut(&task.priority) else {
            return;
        };
        queued.remove(&(task.submitted_at, task.id));
        if !queued.is_empty() {
            return;
        }
        levels.remove(&task.priority);
        if levels.is_empty() {
            self.tenants.remove(&task.tenant);
        }
    }

    /// Tenant, priority, how many, and when the oldest was submitted.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&TenantId, Priority, u64, Millis)> {
        self.tenants.iter().flat_map(|(tenant, levels)| {
            levels.iter().filter_map(move |(priority, queued)| {
                let (oldest, _) = queued.first()?;
                Some((tenant, *priority, queued.len() as u64, *oldest))
            })
        })
    }
}
