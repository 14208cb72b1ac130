//! Tasks on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "schema")]
use super::form;
use super::{PluginRef, ProofRecord, PublicInputs, TaskReceipt, Timestamp};
use crate::Problem;

/// The highest priority; the lowest is 0.
pub const PRIORITY_MAX: u8 = 9;

/// The priority of a task that names none.
pub const PRIORITY_DEFAULT: u8 = 5;

/// Asks for a proof: of a circuit by its id, or of a plugin's circuit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = form::one_target))]
#[serde(deny_unknown_fields)]
pub struct TaskRequest {
    /// Id of a circuit. Exactly one of this and `plugin` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub circuit: Option<String>,
    /// A plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginRef>,
    /// Parameters for the plugin; its defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// The input.
    pub input: Value,
    /// 0 to 9; 9 goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(max = PRIORITY_MAX)))]
    pub priority: Option<u8>,
    /// When the proof is of no use any more: what is not done by then fails. Never, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It waits for a worker, or for its circuit.
    Queued,
    /// A worker has it.
    Running,
    /// Its proof was made and verified.
    Done,
    /// It ended without; `error` says why.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// What a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Finding out what an uploaded component is.
    Inspect,
    /// Building a circuit and its keys.
    Prepare,
    /// Proving.
    Prove,
}

/// What is being done to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits for a worker.
    Queue,
    /// It waits for its circuit to be prepared.
    Circuit,
    /// The component is compiled.
    Compile,
    /// The plugin describes itself.
    Inspect,
    /// Keys are made.
    Keygen,
    /// The plugin computes the witness.
    Witness,
    /// The witness is checked row by row.
    Check,
    /// The proof is made.
    Prove,
    /// The proof is verified by another process than the one that made it.
    Verify,
    /// A stage that this reader does not know.
    #[serde(other)]
    Other,
}

/// Milliseconds by stage, of the attempt that ended the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timings {
    /// From submission to the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<f64>,
    /// Compiling the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile: Option<f64>,
    /// Describing the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspect: Option<f64>,
    /// Making keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keygen: Option<f64>,
    /// Computing the witness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<f64>,
    /// Checking it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<f64>,
    /// Proving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prove: Option<f64>,
    /// Verifying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<f64>,
    /// From submission to the end, all attempts and waits included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

/// One attempt at a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// From 1; the fence of its completion.
    pub attempt: u32,
    /// Who had it.
    pub worker: String,
    /// When it was leased.
    pub leased_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended without a proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A task. It never shows its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its id.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::TASK)))]
    pub id: String,
    /// Whose it is.
    #[serde(default)]
    pub tenant: String,
    /// What it is for.
    pub kind: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// What is being done to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    /// `name@version` of its plugin, or the component's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Id of its circuit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub circuit: Option<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it fails if it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The newest attempts, oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// How long each stage took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<Timings>,
    /// The public inputs by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_inputs: Option<PublicInputs>,
    /// The proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofRecord>,
    /// Where the log has the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<TaskReceipt>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// A page of tasks, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The `before` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

// === impl TaskState ===

impl TaskState {
    /// Every state, in the order of a task's life.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether the task has ended, which nothing undoes.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

// === impl Stage ===

impl Stage {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Circuit => "circuit",
            Self::Compile => "compile",
            Self::Inspect => "inspect",
            Self::Keygen => "keygen",
            Self::Witness => "witness",
            Self::Check => "check",
            Self::Prove => "prove",
            Self::Verify => "verify",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

// === impl Timings ===

impl Timings {
    /// Microseconds, as the ledger keeps them, in the milliseconds of the wire.
    #[allow(
        clippy::cast_precision_loss,
        reason = "exact below 2^53 microseconds, which are 285 years"
    )]
    pub fn millis(micros: u64) -> f64 {
        micros as f64 / 1000.0
    }
}
