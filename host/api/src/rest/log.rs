//! The log of accepted proofs on the wire. Checkpoints, tiles and receipts have formats of their own.

use serde::{Deserialize, Serialize};

/// Where the log has a task's proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskReceipt {
    /// The index of its leaf.
    pub leaf: u64,
    /// The salt with which the leaf commits to the public inputs; whoever has it and the public
    /// inputs can show that the leaf is of them.
    pub salt: String,
    /// SHA-256 of the public inputs, 32 little-endian bytes each, in the circuit's order.
    pub public_inputs_digest: String,
    /// Where the receipt is: a path on this node.
    pub url: String,
}

/// A proof about the log, to be checked against the checkpoint beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogProof {
    /// The leaf that it shows to be in the log, or the size that the log had before.
    pub of: u64,
    /// How many leaves the log of the proof has.
    pub size: u64,
    /// The root over them, 64 hexadecimal digits.
    pub root: String,
    /// The hashes, 64 hexadecimal digits each, in the order of RFC 9162.
    pub hashes: Vec<String>,
    /// The newest signed checkpoint, of `size` leaves or more.
    pub checkpoint: String,
}
