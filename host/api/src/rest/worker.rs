//! Workers on the wire.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A worker that is joined, or that something is held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerInfo {
    /// Its name.
    pub name: String,
    /// Whether it is joined now.
    pub joined: bool,
    /// Tasks it runs at a time, while it is joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Cores it may use, while it is joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Whether it takes no further tasks because it is about to stop.
    pub draining: bool,
    /// Attempts that it has now.
    #[serde(default)]
    pub leases: u64,
    /// Circuits whose keys it has in memory.
    #[serde(default)]
    pub warm: u64,
    /// How many of its proofs did not verify.
    pub invalid_proofs: u32,
    /// Since when it gets no tasks because of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined_at: Option<Timestamp>,
}

/// The workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerList {
    /// In the order of their names.
    pub workers: Vec<WorkerInfo>,
}
