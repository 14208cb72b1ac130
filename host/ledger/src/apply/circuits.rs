//! Circuits: registering, and what a preparation's end does to those who wait for it.

use super::{Step, within};
use crate::limits::CIRCUITS_MAX;
use crate::task::new_task;
use crate::{
    CircuitFacts, CircuitId, CircuitRecord, CircuitState, Digest, Measured, Millis, Outcome,
    PluginRecord, PluginState, Problem, Refusal, State, TaskId, TaskKind, TaskState, TenantId,
};

// === impl State ===

impl State {
    /// Refuses a plugin that the tenant may not know of, or that nothing new may start on.
    pub(super) fn check_usable(&self, plugin: &Digest, tenant: &TenantId) -> Result<(), Refusal> {
        let visible = |plugin: &&PluginRecord| plugin.is_visible_to(tenant);
        let record = self.plugin(plugin).filter(visible);
        let record = record.ok_or(Refusal::UnknownPlugin(*plugin))?;
        match &record.state {
            PluginState::Ready => Ok(()),
            PluginState::Inspecting => Err(Refusal::PluginInspecting(*plugin)),
            PluginState::Retired { .. } => Err(Refusal::PluginRetired(*plugin)),
            PluginState::Rejected(problem) => Err(Refusal::PluginRejected {
                plugin: *plugin,
                problem: problem.clone(),
            }),
        }
    }

    pub(super) fn register_circuit(
        &mut self,
        plugin: Digest,
        params: Digest,
        task: TaskId,
        tenant: &TenantId,
        now: Millis,
    ) -> Step {
        self.check_active(tenant)?;
        self.check_usable(&plugin, tenant)?;
        let circuit = CircuitId::of(&plugin, &params);
        let known = self.circuit(&circuit);
        let registered_at = known.map_or(now, |record| record.registered_at);
        let owner = known.map_or(tenant, |record| &record.tenant).clone();
        match known {
            Some(CircuitRecord {
                task,
                state: CircuitState::Preparing | CircuitState::Ready(_),
                ..
            }) => {
                return Ok(Outcome::CircuitRegistered {
                    circuit,
                    task: *task,
                    created: false,
                });
            }
            Some(_) => {}
            None => {
                self.check_circuit_share(tenant)?;
                within("circuits", self.circuit_count() + 1, CIRCUITS_MAX)?;
            }
        }
        self.check_fresh(task)?;
        self.check_task_quotas(tenant, 0, now)?;
        self.insert_circuit(CircuitRecord {
            id: circuit,
            plugin,
            params,
            task: Some(task),
            registered_at,
            state: CircuitState::Preparing,
            measured: Measured::default(),
            tenant: owner,
        });
        let kind = TaskKind::PrepareCircuit { circuit };
        self.insert_task(new_task(task, kind, tenant.clone(), now));
        Ok(Outcome::CircuitRegistered {
            circuit,
            task: Some(task),
            created: true,
        })
    }

    /// Makes a circuit ready and lets the tasks that wait for it into the queue.
    pub(super) fn finish_preparation(
        &mut self,
        circuit: &CircuitId,
        facts: CircuitFacts,
        now: Millis,
    ) {
        if let Some(record) = self.circuit_mut(circuit) {
            record.state = CircuitState::Ready(facts);
        }
        self.refuse_waiting(circuit, now);
        self.release_waiting(circuit);
    }

    /// Rejects a circuit, and fails the tasks that wait for it with the same problem.
    pub(super) fn reject_circuit(&mut self, circuit: &CircuitId, problem: &Problem, now: Millis) {
        if let Some(record) = self.circuit_mut(circuit) {
            record.state = CircuitState::Rejected(problem.clone());
        }
        for task in self.waiting_for(circuit) {
            self.finish_task(&task, TaskState::Failed(problem.clone()), now);
        }
    }
}
