//! One tenant's queued tasks, in the order in which they are leased.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use crate::limits::PRIORITY_STEP_MS;
use crate::{CircuitId, Millis, Priority, TaskId, TaskKind, TaskRecord};

/// Order of leasing within a tenant. Urgency is time: each step of priority counts as if the task
/// had been submitted `PRIORITY_STEP_MS` earlier, so that the order never has to be sorted again
/// and whoever waits grows more urgent than whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueKey {
    rank: Millis,
    pub(crate) submitted_at: Millis,
    pub(crate) task: TaskId,
}

/// Tasks that need the same of a worker: where one does not fit, none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    Inspection,
    Preparation,
    Proof(CircuitId),
}

/// The tasks of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TenantQueue {
    /// Empty lanes are removed.
    lanes: BTreeMap<Lane, BTreeSet<QueueKey>>,
    /// The first of each lane.
    heads: BTreeSet<(QueueKey, Lane)>,
}

// === impl QueueKey ===

impl QueueKey {
    /// Comes before every task's key.
    pub(crate) const FIRST: Self = Self {
        rank: 0,
        submitted_at: 0,
        task: TaskId::from_bytes([0; 16]),
    };

    pub(crate) const fn of(task: &TaskRecord) -> Self {
        let steps = match task.kind {
            TaskKind::InspectPlugin { .. } => 0,
            TaskKind::PrepareCircuit { .. } => 1,
            TaskKind::Prove { .. } => 2 + Priority::HIGHEST.level() - task.priority.level(),
        };
        Self {
            rank: task
                .submitted_at
                .saturating_add(PRIORITY_STEP_MS.saturating_mul(steps as u64)),
            submitted_at: task.submitted_at,
            task: task.id,
        }
    }
}

// === impl Lane ===

impl Lane {
    pub(crate) const fn of(kind: &TaskKind) -> Self {
        match kind {
            TaskKind::InspectPlugin { .. } => Self::Inspection,
            TaskKind::PrepareCircuit { .. } => Self::Preparation,
            TaskKind::Prove { circuit, .. } => Self::Proof(*circuit),
        }
    }
}

// === impl TenantQueue ===

impl TenantQueue {
    pub(super) fn insert(&mut self, key: QueueKey, lane: Lane) {
        let keys = self.lanes.entry(lane).or_default();
        let first = keys.first().copied();
        keys.insert(key);
        if first.is_none_or(|first| key < first) {
            if let Some(first) = first {
                self.heads.remove(&(first, lane));
            }
            self.heads.insert((key, lane));
        }
    }

    /// Says whether the task was there.
    pub(super) fn remove(&mut self, key: QueueKey, lane: Lane) -> bool {
        let Some(keys) = self.lanes.get_mut(&lane) else {
            return false;
        };
        if !keys.remove(&key) {
            return false;
        }
        if self.heads.remove(&(key, lane)) {
            match keys.first() {
                Some(first) => {
                    self.heads.insert((*first, lane));
                }
                None => {
                    self.lanes.remove(&lane);
                }
            }
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(crate) fn heads(&self) -> impl Iterator<Item = (QueueKey, Lane)> {
        self.heads.iter().copied()
    }

    /// Returns each lane, and how many tasks it has.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (Lane, u64)> {
        let size = |(lane, keys): (&Lane, &BTreeSet<_>)| (*lane, keys.len() as u64);
        self.lanes.iter().map(size)
    }

    /// Returns the task after another one in its lane.
    pub(crate) fn after(&self, key: QueueKey, lane: Lane) -> Option<QueueKey> {
        let keys = self.lanes.get(&lane)?;
        keys.range((Excluded(key), Unbounded)).next().copied()
    }
}
