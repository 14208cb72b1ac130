//! What waits for a worker, in numbers: by tenant and priority, and in time.
//!
//! It costs a look at each kind of work that is queued, not at each task.

use std::collections::BTreeMap;

use crate::state::Lane;
use crate::{CircuitId, Digest, Millis, Priority, State, TaskKind, TenantId};

/// What waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// By tenant and priority, in that order; only where something waits.
    pub depths: Vec<Depth>,
    /// How long one worker would have to do with what each tenant has queued, in milliseconds.
    pub work_ms: BTreeMap<TenantId, u64>,
}

/// The queued tasks of a tenant with one priority; back-offs are included, tasks that wait for their
/// circuit are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Whose.
    pub tenant: TenantId,
    /// How urgent.
    pub priority: Priority,
    /// How many.
    pub tasks: u64,
    /// When the oldest was submitted.
    pub oldest_at: Millis,
}

// === impl State ===

impl State {
    /// Returns what waits, with times as the planner estimates them for an attempt that has so many
    /// threads and finds its keys in memory.
    pub fn backlog(&self, threads: u32) -> Backlog {
        let depths = self
            .depths()
            .map(|(tenant, priority, tasks, oldest_at)| Depth {
                tenant: tenant.clone(),
                priority,
                tasks,
                oldest_at,
            });
        let mut work_ms = BTreeMap::<TenantId, u64>::new();
        let mut add = |tenant: &TenantId, kind: &TaskKind, tasks: u64| {
            let each = self.estimate(kind, threads, true).duration_ms;
            let work = work_ms.entry(tenant.clone()).or_default();
            *work = work.saturating_add(each.saturating_mul(tasks));
        };
        for (tenant, queue) in self.queues() {
            for (lane, tasks) in queue.sizes() {
                add(tenant, &kind_of(lane), tasks);
            }
        }
        // Their back-offs end some time, and few tasks have one.
        for key in self.due(Millis::MAX) {
            if let Some(task) = self.task(&key.task) {
                add(&task.tenant, &task.kind, 1);
            }
        }
        Backlog {
            depths: depths.collect(),
            work_ms,
        }
    }
}

/// A task of a lane, as an estimate looks at it: it depends on the circuit alone.
const fn kind_of(lane: Lane) -> TaskKind {
    let nothing = Digest::from_bytes([0; 32]);
    match lane {
        Lane::Inspection => TaskKind::InspectPlugin { plugin: nothing },
        Lane::Preparation => TaskKind::PrepareCircuit {
            circuit: CircuitId::from_bytes([0; 16]),
        },
        Lane::Proof(circuit) => TaskKind::Prove {
            circuit,
            input: nothing,
        },
    }
}
