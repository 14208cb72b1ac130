//! The one trait the gateway sees: what the node can do, in types that cannot be wrong.
//!
//! The gateway parses ids, references, durations and bounds at its edge; behind this trait nobody
//! parses text of a request again. It knows nothing of consensus, storage, sandboxes or provers.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use aureole_api::{
    Problem,
    rest::{
        CheckReport, Circuit, CircuitKey, Explanation, Health, Me, Plugin, PluginList, PluginRef,
        Sharing, Stage, Task, TaskPage, TaskState, Verdict, VerifyingKey, VerifyingKeyList,
        WorkerList,
    },
};
use aureole_ledger::{CircuitId, Digest, Millis, Priority, TaskId, WorkerId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Administered, Administration, Caller, Component, KeyHash, Webhooks};

/// What a node can do for a caller.
///
/// Obligations of an implementation:
/// - success is durable: what a call answers as done survives a crash;
/// - a call never blocks the runtime's threads;
/// - a call that takes a `wait` answers at the latest about then, with the state of that moment;
/// - dropping a call's future at any await loses nothing that was answered before (the caller's
///   connection may go at any time; a waiting call is dropped when the gateway stops);
/// - what does not belong to the caller, nor is shared with it, is answered as if it were not there;
/// - a [`Problem`] never holds private inputs, paths or addresses.
#[async_trait]
pub trait Platform: Webhooks {
    /// Who holds a key; nobody when it is unknown, has another secret, or opens nothing any more. A
    /// problem only when that cannot be found out.
    async fn authenticate(&self, key: &KeyHash) -> Result<Option<Caller>, Problem>;

    /// Who bears a token of an identity provider; nobody when it is none, or not good. A problem only
    /// when that cannot be found out.
    async fn authenticate_token(&self, token: &str) -> Result<Option<Caller>, Problem>;

    /// Who the caller is, and what its tenant has.
    async fn me(&self, caller: &Caller) -> Result<Me, Problem>;

    /// Tenants, keys, usage and the trail.
    async fn administer(
        &self,
        caller: &Caller,
        asked: Administration,
    ) -> Result<Administered, Problem>;

    /// Stores a component and has it inspected. Answers as soon as that is durable: the plugin
    /// may still be [`Inspecting`](aureole_api::rest::PluginState::Inspecting). `bool` says
    /// whether the component is new here.
    ///
    /// The component is a stream with the size limit built in: when reading it fails, answer any
    /// problem; the gateway knows the cause and tells it instead.
    async fn put_plugin(
        &self,
        caller: &Caller,
        component: Component,
    ) -> Result<(Plugin, bool), Problem>;

    /// Every plugin, without its schemas.
    async fn plugins(&self, caller: &Caller) -> Result<PluginList, Problem>;

    /// One plugin in full; while it is being inspected, waits for the end of that.
    async fn plugin(
        &self,
        caller: &Caller,
        plugin: &PluginRef,
        wait: Duration,
    ) -> Result<Plugin, Problem>;

    /// Retires a plugin; the reference is exact. Retiring twice is no error.
    async fn retire_plugin(&self, caller: &Caller, plugin: &PluginRef) -> Result<Plugin, Problem>;

    /// Says who may use the caller's plugin beside itself. Only an administrator publishes.
    async fn share_plugin(
        &self,
        caller: &Caller,
        plugin: &PluginRef,
        sharing: Sharing,
    ) -> Result<Plugin, Problem>;

    /// Registers a plugin's circuit. Answers as soon as that is durable: the circuit may still be
    /// [`Preparing`](aureole_api::rest::CircuitState::Preparing). `bool` says whether it is new.
    async fn put_circuit(
        &self,
        caller: &Caller,
        plugin: &PluginRef,
        params: Option<Value>,
    ) -> Result<(Circuit, bool), Problem>;

    /// One circuit; while it is being prepared, waits for the end of that.
    async fn circuit(
        &self,
        caller: &Caller,
        circuit: CircuitId,
        wait: Duration,
    ) -> Result<Circuit, Problem>;

    /// A ready circuit's canonical bytes.
    async fn circuit_ir(&self, caller: &Caller, circuit: CircuitId) -> Result<Blob, Problem>;

    /// Checks an input against a ready circuit, without a task and without a trace: neither the
    /// input nor what its cells hold is kept. Bounded in time and in number; more are
    /// `node.busy`.
    async fn check_input(&self, caller: &Caller, check: InputCheck)
    -> Result<CheckReport, Problem>;

    /// Accepts a task: durable before it answers. An input that is refused at once (schema,
    /// size, unknown plugin) is a problem and leaves no task.
    async fn submit(&self, caller: &Caller, submission: Submission) -> Result<Task, Problem>;

    /// One task; while it is not final, waits for its end.
    async fn task(&self, caller: &Caller, task: TaskId, wait: Duration) -> Result<Task, Problem>;

    /// One task; while it is not final and stands where it was seen, waits for that to change.
    async fn task_change(
        &self,
        caller: &Caller,
        task: TaskId,
        seen: &Seen,
        wait: Duration,
    ) -> Result<Task, Problem>;

    /// Why a task waits, and for how long it should.
    async fn explain(&self, caller: &Caller, task: TaskId) -> Result<Explanation, Problem>;

    /// A page of tasks in the filter's order.
    async fn tasks(&self, caller: &Caller, filter: TaskFilter) -> Result<TaskPage, Problem>;

    /// Cancels a task. A task that was cancelled before answers the same again; one that ended
    /// otherwise is a problem (`task.finished`).
    async fn cancel(&self, caller: &Caller, task: TaskId) -> Result<Task, Problem>;

    /// A done task's proof.
    async fn proof(&self, caller: &Caller, task: TaskId) -> Result<Blob, Problem>;

    /// Verifies a proof under a circuit's key for exactly these public inputs.
    async fn verify(&self, caller: &Caller, request: Verification) -> Result<Verdict, Problem>;

    /// Verifies many proofs of one circuit, which share the work; the verdicts come in the order
    /// given.
    async fn verify_batch(
        &self,
        caller: &Caller,
        batch: BatchVerification,
    ) -> Result<Vec<Verdict>, Problem>;

    /// The receipt of a task's accepted proof: a document of `host/receipts`, with what only the
    /// task's owner is told.
    async fn receipt(&self, caller: &Caller, task: TaskId) -> Result<Value, Problem>;

    /// What is read of the log of accepted proofs. Nothing is shown that no checkpoint covers.
    async fn log(&self, caller: &Caller, read: LogRead) -> Result<Blob, Problem>;

    /// Every name of keys, and every revocation.
    async fn verifying_keys(&self, caller: &Caller) -> Result<VerifyingKeyList, Problem>;

    /// The keys under a name, which is as the caller wrote it.
    async fn verifying_key(&self, caller: &Caller, name: &str) -> Result<VerifyingKey, Problem>;

    /// Makes a ready circuit's key the current one under a name. The keys before it go on verifying.
    async fn publish_verifying_key(
        &self,
        caller: &Caller,
        name: &str,
        circuit: CircuitId,
    ) -> Result<VerifyingKey, Problem>;

    /// A ready circuit's key.
    async fn circuit_key(&self, caller: &Caller, circuit: CircuitId)
    -> Result<CircuitKey, Problem>;

    /// Revokes a circuit's key for good. Revoking twice is no error, and the first reason stays.
    async fn revoke_verifying_key(
        &self,
        caller: &Caller,
        circuit: CircuitId,
        reason: String,
    ) -> Result<CircuitKey, Problem>;

    /// The workers that are joined or in quarantine.
    async fn workers(&self, caller: &Caller) -> Result<WorkerList, Problem>;

    /// Ends a worker's quarantine.
    async fn trust_worker(&self, caller: &Caller, worker: WorkerId) -> Result<WorkerList, Problem>;

    /// Whether the node takes work: answers within a few seconds, whatever is cut.
    async fn health(&self) -> Health;
}

/// What is read of the log of accepted proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogRead {
    /// The newest signed checkpoint.
    Checkpoint,
    /// The text of the key that verifies checkpoints.
    Key,
    /// A tile or entry bundle, by its path; whether it is one is not checked yet.
    Tile(String),
    /// The proof that a leaf is in the log of a size; of the newest checkpoint's when absent. JSON.
    Inclusion {
        /// The leaf, from 0.
        index: u64,
        /// How many leaves the log has.
        size: Option<u64>,
    },
    /// The proof that the log only grew from a size to another; to the newest checkpoint's when absent.
    /// JSON.
    Consistency {
        /// The earlier size.
        from: u64,
        /// The later size.
        to: Option<u64>,
    },
}

/// Bytes with their digest, which is their `ETag`.
#[derive(Clone, Debug)]
pub struct Blob {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Bytes,
}

/// An input to be checked. Its `Debug` form leaves the input out.
#[derive(Clone, PartialEq)]
pub struct InputCheck {
    /// The circuit.
    pub circuit: CircuitId,
    /// The input.
    pub input: Value,
    /// Whether the report shows what cells hold.
    pub reveal: bool,
}

/// A task to be done.
///
/// Its `Debug` form leaves the input out: inputs are private.
#[derive(Clone, PartialEq)]
pub struct Submission {
    /// What is to be proved.
    pub target: Target,
    /// The input, at most [`crate::Config::json_max`] bytes as it was sent.
    pub input: Value,
    /// How urgent.
    pub priority: Priority,
    /// When it fails if it is not done, in milliseconds since the epoch. One that has passed is
    /// `task.deadline_past`.
    pub deadline: Option<Millis>,
    /// The caller's key: the same key with the same request gives the same task, with another
    /// request `request.idempotency_conflict`. 1 to 128 visible ASCII characters.
    pub idempotency_key: Option<String>,
}

/// What a task proves.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A registered circuit.
    Circuit(CircuitId),
    /// A plugin's circuit, registered on the way where it is new.
    Plugin {
        /// The plugin.
        plugin: PluginRef,
        /// Its parameters; the plugin's defaults when absent.
        params: Option<Value>,
    },
}

/// Which tasks to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFilter {
    /// In this state only.
    pub state: Option<TaskState>,
    /// Of this plugin only.
    pub plugin: Option<PluginRef>,
    /// Of this circuit only.
    pub circuit: Option<CircuitId>,
    /// Submitted at this instant or later, in milliseconds since the epoch.
    pub since: Option<Millis>,
    /// Submitted before this instant.
    pub until: Option<Millis>,
    /// Which come first.
    pub sort: Sort,
    /// The cursor of an earlier page: at most 128 of `A-Z a-z 0-9 . _ -`, its meaning is the
    /// implementation's, which answers `request.cursor` to one it did not make.
    pub before: Option<String>,
    /// How many at most, 1 to 200.
    pub limit: u32,
}

/// Which tasks a list begins with, by when they were submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// Where a task was seen to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its state.
    pub state: TaskState,
    /// What is done to it, while it runs.
    pub stage: Option<Stage>,
    /// Its newest attempt; 0 before the first.
    pub attempt: u32,
}

/// Proofs of one circuit to be verified together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchVerification {
    /// The circuit.
    pub circuit: CircuitId,
    /// Each proof with its public inputs, at most
    /// [`BATCH_PROOFS_MAX`](aureole_api::rest::BATCH_PROOFS_MAX).
    pub claims: Vec<Claim>,
}

/// A proof and the public inputs that it is said to be for, as in [`Verification`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Field elements by the name of the public input, big-endian.
    pub public_inputs: BTreeMap<String, Vec<[u8; 32]>>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// A proof to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The circuit.
    pub circuit: CircuitId,
    /// Field elements by the name of the public input, big-endian; neither names nor counts nor
    /// the modulus are checked yet.
    pub public_inputs: BTreeMap<String, Vec<[u8; 32]>>,
    /// The proof; its length is not checked yet.
    pub proof: Vec<u8>,
}

// === impl Seen ===

impl Seen {
    /// Where a task stands.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            state: task.state,
            stage: task.stage.filter(|_| task.state == TaskState::Running),
            attempt: task.attempts.last().map_or(0, |attempt| attempt.attempt),
        }
    }
}

// === impl InputCheck ===

impl std::fmt::Debug for InputCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputCheck")
            .field("circuit", &self.circuit)
            .field("reveal", &self.reveal)
            .finish_non_exhaustive()
    }
}

// === impl Submission ===

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission")
            .field("target", &self.target)
            .field("priority", &self.priority)
            .field("idempotency_key", &self.idempotency_key)
            .finish_non_exhaustive()
    }
}
