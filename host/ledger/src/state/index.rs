//! Sets over the tasks by what has to happen to them next. Never replicated, never hashed.
//!
//! Every task is in exactly one place: waiting for its circuit, queued, delayed by a back-off, leased
//! or finished.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::{CircuitId, Millis, TaskId, TaskKind, TaskRecord, TaskState, WorkerId};

/// Order of leasing: inspections, then preparations, then proofs; within a kind by priority, then
/// by age, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueKey {
    rank: u8,
    priority: Reverse<u8>,
    submitted_at: Millis,
    pub(crate) task: TaskId,
}

/// The sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// Queued without a back-off.
    queued: BTreeSet<QueueKey>,
    /// Queued with a back-off, by its end. The back-off may be over already: nobody moves a task
    /// from here because time passed.
    delayed: BTreeSet<(Millis, QueueKey)>,
    /// Queued, but their circuit is not ready.
    waiting: BTreeMap<CircuitId, BTreeSet<TaskId>>,
    waiting_count: u64,
    /// Leased, by deadline.
    expiries: BTreeSet<(Millis, TaskId)>,
    /// Leased, by holder. Empty sets are removed.
    held: BTreeMap<WorkerId, BTreeSet<TaskId>>,
    /// Finished, by end.
    finished: BTreeSet<(Millis, TaskId)>,
}

// === impl QueueKey ===

impl QueueKey {
    pub(crate) const fn of(task: &TaskRecord) -> Self {
        let rank = match task.kind {
            TaskKind::InspectPlugin { .. } => 0,
            TaskKind::PrepareCircuit { .. } => 1,
            TaskKind::Prove { .. } => 2,
        };
        Self {
            rank,
            priority: Reverse(task.priority.level()),
            submitted_at: task.submitted_at,
            task: task.id,
        }
    }
}

// === impl Index ===

impl Index {
    /// Files a task where it belongs; `waits_for` is the circuit it cannot start without.
    pub(super) fn insert(&mut self, task: &TaskRecord, waits_for: Option<CircuitId>) {
        match &task.state {
            TaskState::Queued { not_before } => match waits_for {
                Some(circuit) => {
                    self.waiting.entry(circuit).or_default().insert(task.id);
                    self.waiting_count += 1;
                }
                None if *not_before == 0 => {
                    self.queued.insert(QueueKey::of(task));
                }
                None => {
                    self.delayed.insert((*not_before, QueueKey::of(task)));
                }
            },
            TaskState::Leased(lease) => {
                self.expiries.insert((lease.expires_at, task.id));
                self.held
                    .entry(lease.worker.clone())
                    .or_default()
                    .insert(task.id);
            }
            TaskState::Done(_) | TaskState::Failed(_) | TaskState::Cancelled => {
                self.finished
                    .insert((task.finished_at.unwrap_or(0), task.id));
            }
        }
    }

    /// Removes a task from where [`Self::insert`] filed it.
    pub(super) fn remove(&mut self, task: &TaskRecord) {
        match &task.state {
            TaskState::Queued { not_before } => {
                if !self.remove_waiting(task) {
                    self.queued.remove(&QueueKey::of(task));
                    self.delayed.remove(&(*not_before, QueueKey::of(task)));
                }
            }
            TaskState::Leased(lease) => {
                self.expiries.remove(&(lease.expires_at, task.id));
                if let Some(held) = self.held.get_mut(&lease.worker) {
                    held.remove(&task.id);
                    if held.is_empty() {
                        self.held.remove(&lease.worker);
                    }
                }
            }
            TaskState::Done(_) | TaskState::Failed(_) | TaskState::Cancelled => {
                self.finished
                    .remove(&(task.finished_at.unwrap_or(0), task.id));
            }
        }
    }

    fn remove_waiting(&mut self, task: &TaskRecord) -> bool {
        let TaskKind::Prove { circuit, .. } = task.kind else {
            return false;
        };
        let Some(waiting) = self.waiting.get_mut(&circuit) else {
            return false;
        };
        if !waiting.remove(&task.id) {
            return false;
        }
        if waiting.is_empty() {
            self.waiting.remove(&circuit);
        }
        self.waiting_count -= 1;
        true
    }

    pub(super) fn queued_count(&self) -> u64 {
        (self.queued.len() + self.delayed.len()) as u64
    }

    pub(super) const fn waiting_count(&self) -> u64 {
        self.waiting_count
    }

    pub(super) fn lease_count(&self) -> u64 {
        self.expiries.len() as u64
    }

    pub(super) fn held_by(&self, worker: &WorkerId) -> impl Iterator<Item = TaskId> {
        self.held.get(worker).into_iter().flatten().copied()
    }

    pub(super) fn expiries(&self) -> impl Iterator<Item = (Millis, TaskId)> {
        self.expiries.iter().copied()
    }

    pub(super) fn finished(&self) -> impl Iterator<Item = TaskId> {
        self.finished.iter().map(|(_, task)| *task)
    }

    pub(super) fn waiting_for(&self, circuit: &CircuitId) -> Vec<TaskId> {
        self.waiting
            .get(circuit)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Merges the queue with the back-offs that are over, in the order of the queue.
    pub(super) fn leasable(&self, now: Millis) -> impl Iterator<Item = TaskId> {
        let mut due: Vec<QueueKey> = self
            .delayed
            .iter()
            .take_while(|(not_before, _)| *not_before <= now)
            .map(|(_, key)| *key)
            .collect();
        due.sort_unstable();
        let mut due = due.into_iter().peekable();
        let mut queued = self.queued.iter().copied().peekable();
        std::iter::from_fn(move || match (due.peek(), queued.peek()) {
            (Some(delayed), Some(key)) if delayed < key => due.next(),
            (Some(_), None) => due.next(),
            _ => queued.next(),
        })
        .map(|key| key.task)
    }

    pub(super) fn next_deadline(&self, now: Millis) -> Option<Millis> {
        let expiry = self.expiries.first().map(|(expires_at, _)| *expires_at);
        let delayed = self
            .delayed
            .iter()
            .map(|(not_before, _)| *not_before)
            .find(|at| *at > now);
        expiry.into_iter().chain(delayed).min()
    }
}
