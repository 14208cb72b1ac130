//! Many at once: tasks to be submitted, proofs to be verified.

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use super::form;
use super::{PublicInputs, Task, TaskRequest, Verdict};
use crate::Problem;

/// Submissions in a batch. A hundred take about as long as one proof; more go into another batch.
pub const BATCH_TASKS_MAX: u32 = 100;

/// Proofs in a batch. The work that they share is nearly all shared at 64.
pub const BATCH_PROOFS_MAX: u32 = 64;

/// Asks for many proofs to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// The submissions, 1 to 100.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = BATCH_TASKS_MAX)))]
    pub tasks: Vec<TaskRequest>,
}

/// What came of each submission, in the order given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchReport {
    /// One for each submission.
    pub items: Vec<BatchItem>,
}

/// What came of one submission: a task, or the problem that it was refused with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchItem {
    /// The status that the submission alone would have been answered with.
    pub status: u16,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Asks whether many proofs of one circuit verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyBatchRequest {
    /// Id of the circuit.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub circuit: String,
    /// The proofs, 1 to 64.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = BATCH_PROOFS_MAX)))]
    pub proofs: Vec<ProofClaim>,
}

/// A proof and what it is said to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProofClaim {
    /// The public inputs by name, as a task shows them.
    pub public_inputs: PublicInputs,
    /// The proof in standard base64 with padding.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::BASE64)))]
    pub proof: String,
}

/// The verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyBatchReport {
    /// Whether every proof verifies.
    pub valid: bool,
    /// One for each proof, in the order given.
    pub verdicts: Vec<Verdict>,
}
