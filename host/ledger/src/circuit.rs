//! What is known of a circuit: a plugin with parameters, and what its preparation found.

use serde::{Deserialize, Serialize};

use crate::{CircuitId, Digest, Measured, Millis, Problem, TaskId, TenantId};

/// A plugin together with parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitRecord {
    /// Computed from `plugin` and `params`.
    pub id: CircuitId,
    /// The plugin, by its component.
    pub plugin: Digest,
    /// The parameters as canonical JSON, in the depot.
    pub params: Digest,
    /// The preparation; absent when the plugin's inspection brought the circuit along.
    pub task: Option<TaskId>,
    /// When it was registered first.
    pub registered_at: Millis,
    /// Where it stands.
    pub state: CircuitState,
    /// What its proofs took here.
    pub measured: Measured,
    /// Who registered it, among whose circuits it counts.
    pub tenant: TenantId,
}

/// Where a circuit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CircuitState {
    /// Its preparation is queued or running; tasks wait for it.
    Preparing,
    /// It can be proved.
    Ready(CircuitFacts),
    /// It cannot be built. Registering it again prepares it again.
    Rejected(Problem),
}

/// What the preparation of a circuit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitFacts {
    /// The circuit's canonical bytes, in the depot.
    pub circuit_digest: Digest,
    /// Identity of its verifying key.
    pub key_digest: Digest,
    /// The report as JSON, in the depot.
    pub report: Digest,
    /// The circuit has 2^k rows.
    pub k: u32,
    /// The one length that a proof of it has.
    pub proof_bytes: u32,
    /// Memory that one proof takes with its parameters and keys, predicted from the shape: an upper
    /// bound. 0 when nobody said.
    pub memory_bytes: u64,
    /// Terms of all multiexponentiations of one proof, predicted from the shape: what its time is
    /// proportional to. 0 when nobody said.
    pub work: u64,
}
