//! Circuits: a plugin with parameters, prepared once.

use std::time::Duration;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Blob, Caller};
use aureole_ledger::{
    CircuitId, CircuitRecord, CircuitState, Command, Digest, Outcome, PluginFacts, PluginRecord,
    PluginState,
};
use serde_json::Value;

use super::{Desk, domain, plugins::sees, storage};
use crate::ids;

/// Parameters are a few numbers and choices.
const PARAMS_BYTES_MAX: usize = 64 << 10;

/// Largest circuit: what the IR's limits allow for the largest k of a node.
const CIRCUIT_BYTES_MAX: u64 = 64 << 20;

// === impl Desk ===

impl Desk {
    /// Registers a circuit. Says whether it is new.
    pub(crate) async fn make_circuit(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
        params: Option<&Value>,
    ) -> Result<(rest::Circuit, bool), Problem> {
        let (id, created) = self.register(caller, plugin, params).await?;
        Ok((
            self.circuit_view(&self.circuit_record(caller, &id)?)
                .await?,
            created,
        ))
    }

    /// One circuit, after waiting for the end of its preparation.
    pub(crate) async fn show_circuit(
        &self,
        caller: &Caller,
        id: &CircuitId,
        wait: Duration,
    ) -> Result<rest::Circuit, Problem> {
        let mut record = self.circuit_record(caller, id)?;
        if let (CircuitState::Preparing, Some(task)) = (&record.state, record.task) {
            self.coordinator
                .wait_task(task, |view| view.task.is_finished(), wait)
                .await;
            record = self.circuit_record(caller, id)?;
        }
        self.circuit_view(&record).await
    }

    /// The circuit's canonical bytes.
    pub(crate) async fn circuit_bytes(
        &self,
        caller: &Caller,
        id: &CircuitId,
    ) -> Result<Blob, Problem> {
        let digest = self.ready_facts(caller, id)?.circuit_digest;
        let bytes = self
            .depot
            .get(&digest, CIRCUIT_BYTES_MAX)
            .await
            .map_err(|error| storage(&error, "the circuit cannot be read"))?;
        Ok(Blob { digest, bytes })
    }

    /// Makes sure that a plugin's circuit is registered, without waiting for its preparation.
    pub(super) async fn register(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
        params: Option<&Value>,
    ) -> Result<(CircuitId, bool), Problem> {
        let record = self.plugin_record(caller, plugin)?;
        let facts = usable(&record, plugin)?;
        let Some(params) = params else {
            return facts.default_circuit.map(|id| (id, false)).ok_or_else(|| {
                Problem::new(
                    codes::circuit::PARAMS_REQUIRED,
                    format!("plugin {plugin} has no default parameters: give `params`"),
                )
            });
        };
        let canonical = params.to_string();
        if canonical.len() > PARAMS_BYTES_MAX {
            return Err(Problem::new(
                codes::circuit::PARAMS_TOO_LARGE,
                format!(
                    "params have {} bytes, the limit is {PARAMS_BYTES_MAX}",
                    canonical.len()
                ),
            )
            .at("/params"));
        }
        let schema = self.schema(&facts.description, "params_schema").await?;
        schema.check(params).map_err(|mismatch| {
            Problem::new(codes::circuit::PARAMS_SCHEMA, mismatch.message)
                .at(format!("/params{}", mismatch.path))
        })?;
        let params = self
            .depot
            .put(canonical.into())
            .await
            .map_err(|error| self.not_stored(&error, "the parameters cannot be stored"))?;
        self.register_stored(caller, record.component, params).await
    }

    async fn register_stored(
        &self,
        caller: &Caller,
        plugin: Digest,
        params: Digest,
    ) -> Result<(CircuitId, bool), Problem> {
        let id = CircuitId::of(&plugin, &params);
        let known = self.coordinator.read(|state| {
            state
                .circuit(&id)
                .is_some_and(|circuit| !matches!(circuit.state, CircuitState::Rejected(_)))
        });
        if known {
            return Ok((id, false));
        }
        let task = ids::task_id().map_err(|error| storage(&error, "no randomness for an id"))?;
        let command = Command::RegisterCircuit {
            plugin,
            params,
            task,
            now: self.coordinator.now(),
            tenant: caller.tenant.clone(),
        };
        match self.propose(command).await? {
            Outcome::CircuitRegistered {
                circuit, created, ..
            } => Ok((circuit, created)),
            _ => Err(Problem::new(
                codes::node::INTERNAL,
                "the ledger answered another command",
            )),
        }
    }

    /// A circuit, if the caller may know of its plugin.
    pub(super) fn circuit_record(
        &self,
        caller: &Caller,
        id: &CircuitId,
    ) -> Result<CircuitRecord, Problem> {
        self.coordinator
            .read(|state| {
                let circuit = state.circuit(id)?;
                let plugin = state.plugin(&circuit.plugin)?;
                sees(caller, plugin).then(|| circuit.clone())
            })
            .ok_or_else(|| {
                let detail = format!("no circuit {id} is here; make it with POST /api/v1/circuits");
                Problem::new(codes::circuit::UNKNOWN, detail)
            })
    }

    /// What is known of a circuit that is ready.
    pub(super) fn ready_facts(
        &self,
        caller: &Caller,
        id: &CircuitId,
    ) -> Result<aureole_ledger::CircuitFacts, Problem> {
        match self.circuit_record(caller, id)?.state {
            CircuitState::Ready(facts) => Ok(facts),
            CircuitState::Preparing => Err(Problem::new(
                codes::circuit::NOT_READY,
                format!("circuit {id} is being prepared"),
            )),
            CircuitState::Rejected(problem) => Err(domain(&problem)),
        }
    }
}

/// The facts of a plugin that takes new circuits and tasks.
pub(super) fn usable<'a>(
    record: &'a PluginRecord,
    reference: &rest::PluginRef,
) -> Result<&'a PluginFacts, Problem> {
    match (&record.state, &record.facts) {
        (PluginState::Ready, Some(facts)) => Ok(facts),
        (PluginState::Rejected(problem), _) => Err(Problem::new(
            codes::plugin::REJECTED,
            format!(
                "plugin {reference} was rejected: {}: {}",
                problem.code, problem.detail
            ),
        )),
        (PluginState::Retired { .. }, _) => Err(Problem::new(
            codes::plugin::RETIRED,
            format!(
                "plugin {reference} is retired and takes nothing new; upload it again to bring it back"
            ),
        )),
        _ => Err(Problem::new(
            codes::plugin::NOT_READY,
            format!("plugin {reference} is still being inspected; try again in a moment"),
        )),
    }
}
