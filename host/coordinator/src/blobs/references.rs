//! Which blobs the ledger refers to.

use async_trait::async_trait;
use aureole_ledger::{
    CircuitRecord, CircuitState, Completion, Digest, PluginRecord, PluginState, State, TaskKind,
    TaskRecord, TaskState,
};

use super::collect::{Roots, RootsError};
use crate::Coordinator;

/// Every blob that the facts refer to, some more than once, in no order. It only copies digests: a
/// caller holds the facts for as long as it runs, and sorts afterwards.
pub fn references(state: &State) -> Vec<Digest> {
    let mut found = Vec::new();
    state
        .plugins()
        .for_each(|plugin| of_plugin(plugin, &mut found));
    state
        .circuits()
        .for_each(|circuit| of_circuit(circuit, &mut found));
    state.tasks().for_each(|task| {
        of_task(task, &mut found);
        found.extend(component_of(state, task));
    });
    found
}

pub(super) fn of_plugin(plugin: &PluginRecord, found: &mut Vec<Digest>) {
    if !plugin.is_retired() {
        found.push(plugin.component);
    }
    if let Some(facts) = &plugin.facts {
        found.push(facts.description);
        found.extend(facts.default_params);
    }
    if let PluginState::Rejected(problem) = &plugin.state {
        found.extend(problem.report);
    }
}

pub(super) fn of_circuit(circuit: &CircuitRecord, found: &mut Vec<Digest>) {
    found.push(circuit.params);
    match &circuit.state {
        CircuitState::Ready(facts) => found.extend([facts.circuit_digest, facts.report]),
        CircuitState::Rejected(problem) => found.extend(problem.report),
        CircuitState::Preparing => {}
    }
}

/// The component that a task still needs: what was submitted before its plugin was retired goes on.
fn component_of(state: &State, task: &TaskRecord) -> Option<Digest> {
    if task.is_finished() {
        return None;
    }
    match task.kind {
        TaskKind::InspectPlugin { plugin } => Some(plugin),
        TaskKind::PrepareCircuit { circuit } | TaskKind::Prove { circuit, .. } => {
            state.circuit(&circuit).map(|record| record.plugin)
        }
    }
}

/// A task that has ended refers no longer to its input, whose key is destroyed.
pub(super) fn of_task(task: &TaskRecord, found: &mut Vec<Digest>) {
    if let (TaskKind::Prove { input, .. }, false) = (&task.kind, task.is_finished()) {
        found.push(*input);
    }
    match &task.state {
        TaskState::Done(completion) => of_completion(completion, found),
        TaskState::Failed(problem) => found.extend(problem.report),
        _ => {}
    }
    let attempts = task.attempts.iter();
    found.extend(attempts.filter_map(|attempt| attempt.problem.as_ref()?.report));
}

fn of_completion(completion: &Completion, found: &mut Vec<Digest>) {
    match completion {
        Completion::PluginInspected {
            description,
            default_params,
            default_circuit,
            ..
        } => {
            found.push(*description);
            found.extend(*default_params);
            found.extend(
                default_circuit
                    .iter()
                    .flat_map(|facts| [facts.circuit_digest, facts.report]),
            );
        }
        Completion::CircuitPrepared(facts) => {
            found.extend([facts.circuit_digest, facts.report]);
        }
        Completion::Proved {
            proof,
            public_inputs,
        } => found.extend([*proof, *public_inputs]),
    }
}

/// The ledger as a root of collection. A member that hears of no leader may be far behind, and does
/// not know.
#[async_trait]
impl Roots for Coordinator {
    async fn roots(&self) -> Result<Vec<Digest>, RootsError> {
        if self.leader().now().is_none() {
            return Err("this member knows of no leader, so its ledger may be far behind".into());
        }
        Ok(self.read(references))
    }
}
