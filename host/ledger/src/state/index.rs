//! Sets over the tasks by what has to happen to them next. Never replicated, never hashed.
//!
//! Beside them stand counts over the circuits.
//!
//! Every task is in exactly one place: waiting for its circuit, queued, delayed by a back-off, leased
//! or finished. Unfinished tasks with a deadline stand in the list of deadlines beside that.

use std::collections::{BTreeMap, BTreeSet};

use super::queue::{Lane, QueueKey, TenantQueue};
use crate::{
    AttemptRef, CircuitId, CircuitRecord, Completion, Digest, Lease, Millis, TaskId, TaskRecord,
    TaskState, TenantId, WorkerId,
};

/// What a worker's leases take of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) attempts: BTreeSet<AttemptRef>,
    pub(crate) threads: u64,
    pub(crate) memory_bytes: u64,
}

/// The sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// Queued without a back-off, by tenant. Empty queues are removed.
    queues: BTreeMap<TenantId, TenantQueue>,
    queued_count: u64,
    /// Queued with a back-off, by its end. The back-off may be over already: nobody moves a task
    /// from here because time passed.
    delayed: BTreeSet<(Millis, QueueKey)>,
    /// Queued, but their circuit is not ready.
    waiting: BTreeMap<CircuitId, BTreeSet<TaskId>>,
    waiting_count: u64,
    /// Leased, by the lease's deadline.
    expiries: BTreeSet<(Millis, AttemptRef)>,
    /// Leased, by holder. Empty ones are removed.
    held: BTreeMap<WorkerId, Held>,
    /// Attempts that run, by tenant. Zeros are removed.
    running: BTreeMap<TenantId, u64>,
    running_tasks: u64,
    /// Unfinished tasks of each tenant, and the bytes of their inputs.
    live: BTreeMap<TenantId, (u64, u64)>,
    /// Unfinished with a deadline, by deadline.
    deadlines: BTreeSet<(Millis, TaskId)>,
    /// Leased once with a deadline, by deadline: those who might get a second attempt.
    lonely: BTreeSet<(Millis, TaskId)>,
    /// Finished, by end.
    finished: BTreeSet<(Millis, TaskId)>,
    /// Whose proof some bytes are, by their digest, as long as the task is known.
    proofs: BTreeMap<Digest, TaskId>,
    /// Circuits by who registered them. None is ever removed.
    circuits: BTreeMap<TenantId, u64>,
    /// Plugins that have circuits.
    in_use: BTreeSet<Digest>,
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
                    let queue = self.queues.entry(task.tenant.clone()).or_default();
                    queue.insert(QueueKey::of(task), Lane::of(&task.kind));
                    self.queued_count += 1;
                }
                None => {
                    self.delayed.insert((*not_before, QueueKey::of(task)));
                }
            },
            TaskState::Leased(_) => self.insert_leased(task),
            TaskState::Done(_) | TaskState::Failed(_) | TaskState::Cancelled => {
                self.finished
                    .insert((task.finished_at.unwrap_or(0), task.id));
                if let Some(Completion::Proved { proof, .. }) = task.completion() {
                    self.proofs.entry(*proof).or_insert(task.id);
                }
                return;
            }
        }
        let (tasks, bytes) = self.live.entry(task.tenant.clone()).or_default();
        *tasks += 1;
        *bytes = bytes.saturating_add(task.input_bytes);
        if let Some(deadline) = task.deadline {
            self.deadlines.insert((deadline, task.id));
        }
    }

    fn insert_leased(&mut self, task: &TaskRecord) {
        self.running_tasks += 1;
        let mut attempts = 0;
        for lease in task.leases() {
            attempts += 1;
            let attempt = attempt_of(task, lease);
            self.expiries.insert((lease.expires_at, attempt));
            let held = self.held.entry(lease.worker.clone()).or_default();
            held.attempts.insert(attempt);
            held.threads += u64::from(lease.threads);
            held.memory_bytes = held.memory_bytes.saturating_add(lease.memory_bytes);
        }
        *self.running.entry(task.tenant.clone()).or_default() += attempts;
        if let (Some(deadline), 1) = (task.deadline, attempts) {
            self.lonely.insert((deadline, task.id));
        }
    }

    /// Removes a task from where [`Self::insert`] filed it.
    pub(super) fn remove(&mut self, task: &TaskRecord) {
        match &task.state {
            TaskState::Queued { not_before } => {
                if !self.remove_waiting(task) {
                    self.remove_queued(task);
                    self.delayed.remove(&(*not_before, QueueKey::of(task)));
                }
            }
            TaskState::Leased(_) => self.remove_leased(task),
            TaskState::Done(_) | TaskState::Failed(_) | TaskState::Cancelled => {
                self.finished
                    .remove(&(task.finished_at.unwrap_or(0), task.id));
                if let Some(Completion::Proved { proof, .. }) = task.completion()
                    && self.proofs.get(proof) == Some(&task.id)
                {
                    self.proofs.remove(proof);
                }
                return;
            }
        }
        self.remove_live(task);
        if let Some(deadline) = task.deadline {
            self.deadlines.remove(&(deadline, task.id));
        }
    }

    fn remove_live(&mut self, task: &TaskRecord) {
        if let Some((tasks, bytes)) = self.live.get_mut(&task.tenant) {
            *tasks -= 1;
            *bytes = bytes.saturating_sub(task.input_bytes);
            if *tasks == 0 {
                self.live.remove(&task.tenant);
            }
        }
    }

    fn remove_queued(&mut self, task: &TaskRecord) {
        if let Some(queue) = self.queues.get_mut(&task.tenant) {
            if queue.remove(QueueKey::of(task), Lane::of(&task.kind)) {
                self.queued_count -= 1;
            }
            if queue.is_empty() {
                self.queues.remove(&task.tenant);
            }
        }
    }

    fn remove_leased(&mut self, task: &TaskRecord) {
        self.running_tasks -= 1;
        for lease in task.leases() {
            let attempt = attempt_of(task, lease);
            self.expiries.remove(&(lease.expires_at, attempt));
            if let Some(held) = self.held.get_mut(&lease.worker) {
                held.attempts.remove(&attempt);
                held.threads -= u64::from(lease.threads);
                held.memory_bytes = held.memory_bytes.saturating_sub(lease.memory_bytes);
                if held.attempts.is_empty() {
                    self.held.remove(&lease.worker);
                }
            }
            if let Some(running) = self.running.get_mut(&task.tenant) {
                *running -= 1;
                if *running == 0 {
                    self.running.remove(&task.tenant);
                }
            }
        }
        if let Some(deadline) = task.deadline {
            self.lonely.remove(&(deadline, task.id));
        }
    }

    fn remove_waiting(&mut self, task: &TaskRecord) -> bool {
        let Lane::Proof(circuit) = Lane::of(&task.kind) else {
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

    pub(super) const fn queues(&self) -> &BTreeMap<TenantId, TenantQueue> {
        &self.queues
    }

    pub(super) fn queued_count(&self) -> u64 {
        self.queued_count + self.delayed.len() as u64
    }

    pub(super) const fn waiting_count(&self) -> u64 {
        self.waiting_count
    }

    pub(super) const fn running_tasks(&self) -> u64 {
        self.running_tasks
    }

    pub(super) fn running_of(&self, tenant: &TenantId) -> u64 {
        self.running.get(tenant).copied().unwrap_or(0)
    }

    pub(super) fn live_of(&self, tenant: &TenantId) -> (u64, u64) {
        self.live.get(tenant).copied().unwrap_or_default()
    }

    pub(super) fn held_by(&self, worker: &WorkerId) -> Option<&Held> {
        self.held.get(worker)
    }

    pub(super) fn expiries(&self) -> impl Iterator<Item = (Millis, AttemptRef)> {
        self.expiries.iter().copied()
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = (Millis, TaskId)> {
        self.deadlines.iter().copied()
    }

    pub(super) fn lonely(&self) -> impl Iterator<Item = (Millis, TaskId)> {
        self.lonely.iter().copied()
    }

    /// Counts a circuit that is new.
    pub(super) fn count_circuit(&mut self, circuit: &CircuitRecord) {
        *self.circuits.entry(circuit.tenant.clone()).or_default() += 1;
        self.in_use.insert(circuit.plugin);
    }

    pub(super) fn circuits_of(&self, tenant: &TenantId) -> u64 {
        self.circuits.get(tenant).copied().unwrap_or(0)
    }

    pub(super) fn has_circuits(&self, plugin: &Digest) -> bool {
        self.in_use.contains(plugin)
    }

    pub(super) fn proof(&self, digest: &Digest) -> Option<TaskId> {
        self.proofs.get(digest).copied()
    }

    pub(super) fn finished(&self) -> impl Iterator<Item = TaskId> {
        self.finished.iter().map(|(_, task)| *task)
    }

    pub(super) fn finished_count(&self) -> u64 {
        self.finished.len() as u64
    }

    pub(super) fn waiting_for(&self, circuit: &CircuitId) -> Vec<TaskId> {
        self.waiting
            .get(circuit)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Returns the tasks whose back-off is over: a few, because each had a worker a moment ago.
    pub(super) fn due(&self, now: Millis) -> impl Iterator<Item = QueueKey> {
        self.delayed
            .iter()
            .take_while(move |(not_before, _)| *not_before <= now)
            .map(|(_, key)| *key)
    }

    pub(super) fn next_deadline(&self, now: Millis) -> Option<Millis> {
        let expiry = self.expiries.first().map(|(expires_at, _)| *expires_at);
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let key = QueueKey::FIRST;
        let delayed = self.delayed.range((now.saturating_add(1), key)..).next();
        let delayed = delayed.map(|(not_before, _)| *not_before);
        expiry.into_iter().chain(deadline).chain(delayed).min()
    }
}

const fn attempt_of(task: &TaskRecord, lease: &Lease) -> AttemptRef {
    AttemptRef {
        task: task.id,
        attempt: lease.attempt,
    }
}
