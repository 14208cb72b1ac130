//! Facts of the ledger as the documents of the API.

use std::collections::BTreeMap;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::Caller;
use aureole_ledger::{
    CircuitId, CircuitRecord, CircuitState, Completion, Digest, PluginRecord, PluginState, Stage,
    TaskKind, TaskPhase, TaskRecord, TenantId, Visibility,
};
use serde_json::Value;

use super::{Desk, domain, storage};

/// Largest blob of public inputs: every row of the largest circuit of a node, k = 20.
const PUBLIC_INPUTS_BYTES_MAX: u64 = 32 << 20;

// === impl Desk ===

impl Desk {
    /// A plugin, with its schemas and lints or without.
    pub(super) async fn plugin_view(
        &self,
        caller: &Caller,
        record: &PluginRecord,
        schemas: bool,
    ) -> Result<rest::Plugin, Problem> {
        let mut view = rest::Plugin {
            digest: record.component.to_string(),
            bytes: record.bytes,
            state: plugin_state(&record.state),
            task: self.inspection(caller, record),
            registered_at: rest::Timestamp::from_millis(record.registered_at),
            signer: record.signer.map(|signer| signer.to_string()),
            name: None,
            version: None,
            summary: None,
            backend: None,
            field: None,
            params_schema: None,
            input_schema: None,
            default_params: None,
            default_circuit: None,
            public_inputs: Vec::new(),
            lints: Vec::new(),
            problem: None,
            sharing: sharing(record, &caller.tenant),
        };
        if let PluginState::Rejected(problem) = &record.state {
            view.problem = Some(domain(problem));
        }
        let Some(facts) = &record.facts else {
            return Ok(view);
        };
        let description = self.documents.get(&facts.description).await?;
        let text = |key: &str| {
            description
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        view.name = Some(facts.name.clone());
        view.version = Some(facts.version.clone());
        view.summary = text("summary");
        view.backend = text("backend");
        view.field = text("field");
        view.default_circuit = facts.default_circuit.map(|circuit| circuit.to_string());
        view.public_inputs = public_input_names(&description);
        if schemas {
            let value = |key: &str| {
                description
                    .get(key)
                    .filter(|value| !value.is_null())
                    .cloned()
            };
            view.params_schema = value("params_schema");
            view.input_schema = value("input_schema");
            view.default_params = value("default_params");
            view.lints = self.lints(facts.default_circuit).await?;
        }
        Ok(view)
    }

    /// The task that inspects a plugin, if the caller may watch it.
    fn inspection(&self, caller: &Caller, record: &PluginRecord) -> Option<String> {
        let goes_on = record.state == PluginState::Inspecting;
        (goes_on && self.owns(caller, &record.task)).then(|| record.task.to_string())
    }

    /// What was found odd about a circuit, if it is ready.
    async fn lints(&self, circuit: Option<CircuitId>) -> Result<Vec<rest::Lint>, Problem> {
        let state = circuit.and_then(|circuit| {
            self.coordinator
                .read(|state| state.circuit(&circuit).map(|record| record.state.clone()))
        });
        let Some(CircuitState::Ready(facts)) = state else {
            return Ok(Vec::new());
        };
        let report = self.documents.get(&facts.report).await?;
        Ok(part(&report, "lints")?.unwrap_or_default())
    }

    /// A circuit with what its preparation found.
    pub(super) async fn circuit_view(
        &self,
        record: &CircuitRecord,
    ) -> Result<rest::Circuit, Problem> {
        let mut view = rest::Circuit {
            id: record.id.to_string(),
            state: rest::CircuitState::Preparing,
            component: record.plugin.to_string(),
            plugin: Some(self.plugin_label(&record.plugin)),
            params: Value::clone(&*self.documents.get(&record.params).await?),
            registered_at: rest::Timestamp::from_millis(record.registered_at),
            circuit_digest: None,
            key_digest: None,
            proof_bytes: None,
            shape: None,
            gates: Vec::new(),
            public_inputs: Vec::new(),
            lints: Vec::new(),
            estimate: None,
            problem: None,
        };
        match &record.state {
            CircuitState::Preparing => {}
            CircuitState::Rejected(problem) => {
                view.state = rest::CircuitState::Rejected;
                view.problem = Some(domain(problem));
            }
            CircuitState::Ready(facts) => {
                let report = self.documents.get(&facts.report).await?;
                view.state = rest::CircuitState::Ready;
                view.circuit_digest = Some(facts.circuit_digest.to_string());
                view.key_digest = Some(facts.key_digest.to_string());
                view.proof_bytes = Some(facts.proof_bytes.into());
                view.shape = part(&report, "shape")?;
                view.gates = part(&report, "gates")?.unwrap_or_default();
                view.public_inputs = part(&report, "public_inputs")?.unwrap_or_default();
                view.lints = part(&report, "lints")?.unwrap_or_default();
                view.estimate = part(&report, "estimate")?;
            }
        }
        Ok(view)
    }

    /// A task as the API shows it; never its input.
    pub(crate) async fn task_view(&self, record: &TaskRecord) -> Result<rest::Task, Problem> {
        let circuit = match record.kind {
            TaskKind::InspectPlugin { .. } => None,
            TaskKind::PrepareCircuit { circuit } | TaskKind::Prove { circuit, .. } => self
                .coordinator
                .read(|state| state.circuit(&circuit).cloned()),
        };
        let component = match record.kind {
            TaskKind::InspectPlugin { plugin } => Some(plugin),
            _ => circuit.as_ref().map(|circuit| circuit.plugin),
        };
        let mut view = rest::Task {
            id: record.id.to_string(),
            tenant: record.tenant.to_string(),
            kind: task_kind(&record.kind),
            state: task_state(record.phase()),
            stage: self.stage(record, circuit.as_ref()),
            priority: record.priority.level(),
            plugin: component.map(|component| self.plugin_label(&component)),
            circuit: circuit.as_ref().map(|circuit| circuit.id.to_string()),
            submitted_at: rest::Timestamp::from_millis(record.submitted_at),
            deadline: record.deadline.map(rest::Timestamp::from_millis),
            finished_at: record.finished_at.map(rest::Timestamp::from_millis),
            attempts: record.attempts.iter().map(attempt).collect(),
            timings_ms: timings(record),
            public_inputs: None,
            proof: None,
            receipt: None,
            error: None,
        };
        if let Some(problem) = record.problem() {
            view.error = Some(self.domain_in_full(problem).await.of_task(record.id));
        }
        if let (
            Some(Completion::Proved {
                proof,
                public_inputs,
            }),
            Some(circuit),
        ) = (record.completion(), &circuit)
            && let CircuitState::Ready(facts) = &circuit.state
        {
            view.proof = Some(rest::ProofRecord {
                digest: proof.to_string(),
                bytes: facts.proof_bytes.into(),
                url: format!("/api/v1/tasks/{}/proof", record.id),
                base64: None,
            });
            view.public_inputs = Some(self.public_inputs(&facts.report, public_inputs).await?);
            view.receipt = record.accepted.map(|accepted| rest::TaskReceipt {
                leaf: accepted.leaf,
                salt: accepted.salt.to_string(),
                public_inputs_digest: public_inputs.to_string(),
                url: format!("/api/v1/tasks/{}/receipt", record.id),
            });
        }
        Ok(view)
    }

    /// Public inputs by name.
    async fn public_inputs(
        &self,
        report: &Digest,
        public_inputs: &Digest,
    ) -> Result<rest::PublicInputs, Problem> {
        let report = self.documents.get(report).await?;
        let names: Vec<rest::PublicInput> = part(&report, "public_inputs")?.unwrap_or_default();
        let flat = self
            .depot
            .get(public_inputs, PUBLIC_INPUTS_BYTES_MAX)
            .await
            .map_err(|error| storage(&error, "the public inputs cannot be read"))?;
        let mut elements = flat.as_chunks::<32>().0.iter().map(|little_endian| {
            let mut element = *little_endian;
            element.reverse();
            element
        });
        let mut inputs = BTreeMap::new();
        for input in names {
            let values: Vec<[u8; 32]> = elements.by_ref().take(input.rows as usize).collect();
            inputs.insert(input.name, rest::Elements::from_big_endian(&values));
        }
        Ok(inputs)
    }

    /// `name@version`, or the component's digest while it has no name.
    pub(super) fn plugin_label(&self, component: &Digest) -> String {
        self.coordinator.read(|state| {
            state
                .plugin(component)
                .and_then(|plugin| plugin.facts.as_ref())
                .map_or_else(
                    || component.to_string(),
                    |facts| format!("{}@{}", facts.name, facts.version),
                )
        })
    }

    fn stage(&self, record: &TaskRecord, circuit: Option<&CircuitRecord>) -> Option<rest::Stage> {
        match record.phase() {
            TaskPhase::Queued => {
                let waits_for_circuit = matches!(record.kind, TaskKind::Prove { .. })
                    && circuit.is_some_and(|circuit| circuit.state == CircuitState::Preparing);
                Some(if waits_for_circuit {
                    rest::Stage::Circuit
                } else {
                    rest::Stage::Queue
                })
            }
            TaskPhase::Running => self
                .coordinator
                .stage_of(record.id)
                .map(|(_, stage)| stage_name(stage)),
            _ => None,
        }
    }
}

fn part<T: serde::de::DeserializeOwned>(report: &Value, key: &str) -> Result<Option<T>, Problem> {
    report
        .get(key)
        .filter(|value| !value.is_null())
        .map_or(Ok(None), |value| {
            serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|error| {
                    tracing::error!(%error, key, "a circuit's report does not read");
                    Problem::new(codes::node::STORAGE, "a circuit's report is damaged")
                })
        })
}

fn public_input_names(description: &Value) -> Vec<rest::PublicInputName> {
    description
        .get("public_inputs")
        .and_then(|inputs| serde_json::from_value(inputs.clone()).ok())
        .unwrap_or_default()
}

/// What a tenant's own plugin is to others; nothing for one that another tenant shares.
fn sharing(record: &PluginRecord, tenant: &TenantId) -> Option<rest::Sharing> {
    Some(match record.holders.get(tenant)? {
        Visibility::Private => rest::Sharing::Private,
        Visibility::Public => rest::Sharing::Public,
        Visibility::Shared(with) => rest::Sharing::Shared {
            with: with.iter().map(TenantId::to_string).collect(),
        },
    })
}

fn plugin_state(state: &PluginState) -> rest::PluginState {
    match state {
        PluginState::Inspecting => rest::PluginState::Inspecting,
        PluginState::Ready => rest::PluginState::Ready,
        PluginState::Rejected(_) => rest::PluginState::Rejected,
        PluginState::Retired { .. } => rest::PluginState::Retired,
    }
}

fn task_kind(kind: &TaskKind) -> rest::TaskKind {
    match kind {
        TaskKind::InspectPlugin { .. } => rest::TaskKind::Inspect,
        TaskKind::PrepareCircuit { .. } => rest::TaskKind::Prepare,
        TaskKind::Prove { .. } => rest::TaskKind::Prove,
    }
}

pub(super) fn task_state(phase: TaskPhase) -> rest::TaskState {
    match phase {
        TaskPhase::Queued => rest::TaskState::Queued,
        TaskPhase::Running => rest::TaskState::Running,
        TaskPhase::Done => rest::TaskState::Done,
        TaskPhase::Failed => rest::TaskState::Failed,
        TaskPhase::Cancelled => rest::TaskState::Cancelled,
    }
}

pub(super) fn stage_name(stage: Stage) -> rest::Stage {
    match stage {
        Stage::Queue => rest::Stage::Queue,
        Stage::Compile => rest::Stage::Compile,
        Stage::Inspect => rest::Stage::Inspect,
        Stage::Keygen => rest::Stage::Keygen,
        Stage::Witness => rest::Stage::Witness,
        Stage::Check => rest::Stage::Check,
        Stage::Prove => rest::Stage::Prove,
        Stage::Verify => rest::Stage::Verify,
    }
}

fn attempt(attempt: &aureole_ledger::Attempt) -> rest::Attempt {
    rest::Attempt {
        attempt: attempt.attempt,
        worker: attempt.worker.to_string(),
        leased_at: rest::Timestamp::from_millis(attempt.leased_at),
        ended_at: attempt.ended_at.map(rest::Timestamp::from_millis),
        problem: attempt.problem.as_ref().map(domain),
    }
}

fn timings(record: &TaskRecord) -> Option<rest::Timings> {
    let finished_at = record.finished_at?;
    let stage = |stage| {
        record
            .timings
            .get(&stage)
            .map(|micros| rest::Timings::millis(*micros))
    };
    Some(rest::Timings {
        queue: stage(Stage::Queue),
        compile: stage(Stage::Compile),
        inspect: stage(Stage::Inspect),
        keygen: stage(Stage::Keygen),
        witness: stage(Stage::Witness),
        check: stage(Stage::Check),
        prove: stage(Stage::Prove),
        verify: stage(Stage::Verify),
        total: Some(rest::Timings::millis(
            finished_at
                .saturating_sub(record.submitted_at)
                .saturating_mul(1000),
        )),
    })
}
