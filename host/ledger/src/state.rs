//! The facts and the indexes over them.
//!
//! [`Facts`] is what is replicated, hashed and written to snapshots. The indexes are computed from
//! it: they make planning cost what there is to do, not what there is to know, and are rebuilt when
//! a snapshot is loaded. Every change of a task's state goes through [`State::update_task`], which
//! keeps both in step.

mod index;
mod outbox;
mod queue;
mod shared;
mod tenants;

use std::collections::BTreeMap;

use aureole_receipts::Tree;
use serde::{Deserialize, Serialize};

pub(crate) use self::index::Held;
use self::index::Index;
pub(crate) use self::outbox::OutboxFacts;
use self::outbox::OutboxIndex;
pub(crate) use self::queue::{Lane, QueueKey, TenantQueue};
pub(crate) use self::shared::Shared;
use self::tenants::Names;
use crate::audit::Trail;
use crate::{
    AttemptRef, CircuitFacts, CircuitId, CircuitRecord, CircuitState, Digest, Distrust,
    Idempotency, KeyId, KeyRecord, Millis, Pace, PluginRecord, Reservation, Revocation, TaskId,
    TaskKind, TaskPhase, TaskRecord, TenantId, TenantRecord, Usage, VerifyingKeyName, WorkerId,
};

/// What is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Plugins by component.
    pub(crate) plugins: BTreeMap<Digest, PluginRecord>,
    /// Component by name and version, for each tenant by itself. An entry is never removed or
    /// replaced.
    pub(crate) names: BTreeMap<TenantId, Names>,
    /// Circuits by id.
    pub(crate) circuits: BTreeMap<CircuitId, CircuitRecord>,
    /// Tasks by id, finished ones until they are forgotten.
    pub(crate) tasks: BTreeMap<TaskId, Shared<TaskRecord>>,
    /// Task by idempotency key, as long as the task is known.
    pub(crate) idempotency: BTreeMap<Digest, TaskId>,
    /// Virtual time at which what was leased to a tenant so far ends, for those who used something
    /// lately.
    pub(crate) shares: BTreeMap<TenantId, u64>,
    /// Where the newest lease started in the tenants' virtual time; never goes back.
    pub(crate) virtual_time: u64,
    /// How fast proofs are made here.
    pub(crate) pace: Pace,
    /// Whom a worker is kept for, while the task is queued.
    pub(crate) reservation: Option<Reservation>,
    /// The newest time of any command that changed something; never goes back.
    pub(crate) time: Millis,
    /// Component by name and version, for everybody: what is public.
    pub(crate) public: Names,
    /// Tenants that were made.
    pub(crate) tenants: BTreeMap<TenantId, TenantRecord>,
    /// Keys by their public parts.
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
    /// What tenants have used.
    pub(crate) usage: BTreeMap<TenantId, Usage>,
    /// The newest administrative acts.
    pub(crate) trail: Trail,
    /// The log of accepted proofs.
    pub(crate) tree: Tree,
    /// Names of builds that verified proofs, by their digests.
    pub(crate) builds: BTreeMap<Digest, String>,
    /// Published keys by name.
    pub(crate) verifying_keys: BTreeMap<String, VerifyingKeyName>,
    /// Revoked keys. An entry is never removed or replaced.
    pub(crate) revocations: BTreeMap<Digest, Revocation>,
    /// What is held against workers.
    pub(crate) distrust: BTreeMap<WorkerId, Distrust>,
    /// Who is told of the ends of tasks, and what is still to be told.
    pub(crate) outbox: OutboxFacts,
}

/// The ledger's state: everything that was ever accepted and not forgotten.
#[derive(Clone, Debug, Default)]
pub struct State {
    facts: Facts,
    index: Index,
    outbox: OutboxIndex,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

impl Eq for State {}

// === impl State ===

impl State {
    /// Returns the state before the first command.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_facts(facts: Facts) -> Self {
        let mut index = Index::default();
        for task in facts.tasks.values() {
            index.insert(task, waits_for(&facts.circuits, task));
        }
        for circuit in facts.circuits.values() {
            index.count_circuit(circuit);
        }
        let outbox = OutboxIndex::of(&facts.outbox);
        Self {
            facts,
            index,
            outbox,
        }
    }

    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the newest time that the facts know: whoever proposes next is not behind it.
    pub const fn time(&self) -> Millis {
        self.facts.time
    }

    pub(crate) fn advance_time(&mut self, now: Millis) {
        self.facts.time = self.facts.time.max(now);
    }

    /// Returns a plugin by its component.
    pub fn plugin(&self, component: &Digest) -> Option<&PluginRecord> {
        self.facts.plugins.get(component)
    }

    /// Returns every plugin, in the order of their digests.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginRecord> {
        self.facts.plugins.values()
    }

    /// Returns a circuit.
    pub fn circuit(&self, id: &CircuitId) -> Option<&CircuitRecord> {
        self.facts.circuits.get(id)
    }

    /// Returns what is known of a circuit that can be proved.
    pub fn ready_circuit(&self, id: &CircuitId) -> Option<(&CircuitRecord, &CircuitFacts)> {
        let record = self.circuit(id)?;
        match &record.state {
            CircuitState::Ready(facts) => Some((record, facts)),
            CircuitState::Preparing | CircuitState::Rejected(_) => None,
        }
    }

    /// Returns every circuit, in the order of their ids.
    pub fn circuits(&self) -> impl Iterator<Item = &CircuitRecord> {
        self.facts.circuits.values()
    }

    /// Returns a task.
    pub fn task(&self, id: &TaskId) -> Option<&TaskRecord> {
        self.facts.tasks.get(id).map(|task| &**task)
    }

    /// Returns every task, in the order of their ids.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskRecord> {
        self.facts.tasks.values().map(|task| &**task)
    }

    /// Returns the task that an idempotency key stands for, as long as it is known.
    pub fn task_of_key(&self, idempotency: &Idempotency) -> Option<&TaskRecord> {
        let task = self.task(self.facts.idempotency.get(&idempotency.key)?)?;
        (task.idempotency == Some(*idempotency)).then_some(task)
    }

    /// Returns the finished tasks, those that ended first first: what the archive takes.
    pub fn finished_tasks(&self) -> impl Iterator<Item = &TaskRecord> {
        self.index.finished().filter_map(|id| self.task(&id))
    }

    /// Returns how many tasks have ended and are not forgotten.
    pub fn finished_count(&self) -> u64 {
        self.index.finished_count()
    }

    /// Returns whose accepted proof some bytes are, by their digest. Proofs are drawn with fresh
    /// randomness: the same bytes for another task are a copy.
    pub fn task_of_proof(&self, proof: &Digest) -> Option<TaskId> {
        self.index.proof(proof)
    }

    /// Returns how many tasks are known.
    pub fn task_count(&self) -> u64 {
        self.facts.tasks.len() as u64
    }

    /// Returns how many tasks could be leased now or after their back-off.
    pub fn queued_count(&self) -> u64 {
        self.index.queued_count()
    }

    /// Returns how many tasks wait for their circuit.
    pub fn waiting_count(&self) -> u64 {
        self.index.waiting_count()
    }

    /// Returns how many tasks are with workers.
    pub fn running_count(&self) -> u64 {
        self.index.running_tasks()
    }

    /// Returns the leases of a worker, in the order of task ids.
    pub fn leases_of(&self, worker: &WorkerId) -> impl Iterator<Item = AttemptRef> {
        let held = self.index.held_by(worker);
        held.into_iter()
            .flat_map(|held| held.attempts.iter().copied())
    }

    /// Returns what a worker's leases take of it; `None` when it has none.
    pub(crate) fn held_by(&self, worker: &WorkerId) -> Option<&Held> {
        self.index.held_by(worker)
    }

    /// Returns every lease, the one that ends first first.
    pub(crate) fn leases_by_deadline(&self) -> impl Iterator<Item = (Millis, AttemptRef)> {
        self.index.expiries()
    }

    /// Returns the unfinished tasks with a deadline, the nearest first.
    pub(crate) fn tasks_by_deadline(&self) -> impl Iterator<Item = (Millis, TaskId)> {
        self.index.deadlines()
    }

    /// Returns the tasks with a deadline that have one attempt running, the nearest deadline first.
    pub(crate) fn lonely_by_deadline(&self) -> impl Iterator<Item = (Millis, TaskId)> {
        self.index.lonely()
    }

    /// Returns the tenants that have tasks queued without a back-off.
    pub(crate) fn queues(&self) -> &BTreeMap<TenantId, TenantQueue> {
        self.index.queues()
    }

    /// Returns the queued tasks whose back-off is over.
    pub(crate) fn due(&self, now: Millis) -> impl Iterator<Item = QueueKey> {
        self.index.due(now)
    }

    /// Returns how many attempts a tenant has running.
    pub fn running_of(&self, tenant: &TenantId) -> u64 {
        self.index.running_of(tenant)
    }

    /// Returns how many unfinished tasks a tenant has, and the bytes of their inputs.
    pub(crate) fn live_of(&self, tenant: &TenantId) -> (u64, u64) {
        self.index.live_of(tenant)
    }

    /// Returns the tenants' virtual time.
    pub(crate) const fn virtual_time(&self) -> u64 {
        self.facts.virtual_time
    }

    /// Returns how fast proofs are made here.
    pub const fn pace(&self) -> Pace {
        self.facts.pace
    }

    /// Returns which worker is kept free for which queued task.
    pub const fn reservation(&self) -> Option<&Reservation> {
        self.facts.reservation.as_ref()
    }

    /// Returns the log of accepted proofs: its size and the roots of its peaks.
    pub const fn log(&self) -> &Tree {
        &self.facts.tree
    }

    /// Returns the name of a build that verified proofs, by its digest in their leaves.
    pub fn build(&self, digest: &Digest) -> Option<&str> {
        self.facts.builds.get(digest).map(String::as_str)
    }

    /// Returns the keys under a name.
    pub fn verifying_key_named(&self, name: &str) -> Option<&VerifyingKeyName> {
        self.facts.verifying_keys.get(name)
    }

    /// Returns every name of keys, in their order.
    pub fn verifying_keys(&self) -> impl Iterator<Item = &VerifyingKeyName> {
        self.facts.verifying_keys.values()
    }

    /// Returns why and when a key was revoked, if it was.
    pub fn revocation(&self, key: &Digest) -> Option<&Revocation> {
        self.facts.revocations.get(key)
    }

    /// Returns every revocation, in the order of the keys.
    pub fn revocations(&self) -> impl Iterator<Item = &Revocation> {
        self.facts.revocations.values()
    }

    /// Returns what is held against a worker.
    pub fn distrust(&self, worker: &WorkerId) -> Distrust {
        self.facts.distrust.get(worker).copied().unwrap_or_default()
    }

    /// Returns the workers that something is held against, in the order of their names.
    pub fn distrusted(&self) -> impl Iterator<Item = (&WorkerId, &Distrust)> {
        self.facts.distrust.iter()
    }

    pub(crate) const fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Returns the next time at which [`crate::plan`] has something to do without a command: a
    /// lease's or a task's deadline, or the end of a back-off.
    pub fn next_deadline(&self, now: Millis) -> Option<Millis> {
        self.index.next_deadline(now)
    }

    /// Returns the tasks that wait for a circuit, in the order of their ids. They are queued when it
    /// becomes ready and fail when it is rejected.
    pub fn waiting_for(&self, circuit: &CircuitId) -> Vec<TaskId> {
        self.index.waiting_for(circuit)
    }

    pub(crate) fn insert_task(&mut self, task: TaskRecord) {
        if let Some(usage) = self.usage_mut(&task.tenant) {
            usage.tasks += 1;
            usage.input_bytes = usage.input_bytes.saturating_add(task.input_bytes);
        }
        self.index
            .insert(&task, waits_for(&self.facts.circuits, &task));
        if let Some(idempotency) = &task.idempotency {
            self.facts.idempotency.insert(idempotency.key, task.id);
        }
        self.facts.tasks.insert(task.id, task.into());
    }

    /// Changes a task and keeps the indexes in step; nothing happens to an unknown one.
    pub(crate) fn update_task(&mut self, id: &TaskId, change: impl FnOnce(&mut TaskRecord)) {
        if let Some(task) = self.facts.tasks.get_mut(id) {
            let task = task.to_mut();
            self.index.remove(task);
            change(task);
            let held = self.facts.reservation.as_ref();
            if held.is_some_and(|held| held.task == *id) && task.phase() != TaskPhase::Queued {
                self.facts.reservation = None;
            }
            self.index
                .insert(task, waits_for(&self.facts.circuits, task));
        }
    }

    pub(crate) fn remove_task(&mut self, id: &TaskId) -> bool {
        let Some(task) = self.facts.tasks.remove(id) else {
            return false;
        };
        self.index.remove(&task);
        if let Some(idempotency) = &task.idempotency {
            self.facts.idempotency.remove(&idempotency.key);
        }
        true
    }

    pub(crate) fn plugin_mut(&mut self, component: &Digest) -> Option<&mut PluginRecord> {
        self.facts.plugins.get_mut(component)
    }

    pub(crate) fn insert_plugin(&mut self, plugin: PluginRecord) {
        self.facts.plugins.insert(plugin.component, plugin);
    }

    /// Takes a name and version of a tenant for a component, or returns the one that has it.
    pub(crate) fn claim_name(
        &mut self,
        tenant: &TenantId,
        (name, version): (&str, &str),
        component: Digest,
    ) -> Digest {
        let names = self.facts.names.entry(tenant.clone()).or_default();
        let versions = names.entry(name.to_owned()).or_default();
        *versions.entry(version.to_owned()).or_insert(component)
    }

    pub(crate) fn insert_circuit(&mut self, circuit: CircuitRecord) {
        if !self.facts.circuits.contains_key(&circuit.id) {
            self.index.count_circuit(&circuit);
        }
        self.facts.circuits.insert(circuit.id, circuit);
    }

    /// Returns how many plugins are known.
    pub(crate) fn plugin_count(&self) -> u64 {
        self.facts.plugins.len() as u64
    }

    /// Returns how many circuits are known.
    pub(crate) fn circuit_count(&self) -> u64 {
        self.facts.circuits.len() as u64
    }

    /// Returns how many circuits a tenant registered.
    pub(crate) fn circuits_of(&self, tenant: &TenantId) -> u64 {
        self.index.circuits_of(tenant)
    }

    /// Says whether a plugin has circuits.
    pub(crate) fn has_circuits(&self, plugin: &Digest) -> bool {
        self.index.has_circuits(plugin)
    }

    pub(crate) fn circuit_mut(&mut self, id: &CircuitId) -> Option<&mut CircuitRecord> {
        self.facts.circuits.get_mut(id)
    }

    /// Moves the tasks that wait for a circuit to the queue, after the circuit became ready.
    pub(crate) fn release_waiting(&mut self, circuit: &CircuitId) {
        for id in self.waiting_for(circuit) {
            self.update_task(&id, |_| {});
        }
    }
}

/// Returns the circuit that a queued proof has to wait for.
fn waits_for(
    circuits: &BTreeMap<CircuitId, CircuitRecord>,
    task: &TaskRecord,
) -> Option<CircuitId> {
    let TaskKind::Prove { circuit, .. } = task.kind else {
        return None;
    };
    match circuits.get(&circuit).map(|record| &record.state) {
        Some(CircuitState::Ready(_)) => None,
        _ => Some(circuit),
    }
}
