//! Why a task waits, on the wire.

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use super::form;
use super::{Stage, TaskState, Timestamp};
use crate::Problem;

/// Where a task stands, and why it is not further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The task.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::TASK)))]
    pub task: String,
    /// Where it stands.
    pub state: TaskState,
    /// What it waits for.
    pub wait: Wait,
    /// The same as a sentence.
    pub summary: String,
    /// Whose share it uses.
    pub tenant: String,
    /// The tenant's weight beside others'; 100 is ordinary.
    pub weight: u32,
    /// How many attempts the tenant has running.
    pub tenant_running: u64,
    /// Tasks that are leased before this one, while it could be leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// Whether there are more than `ahead`: counting stops somewhere.
    #[serde(default)]
    pub ahead_is_more: bool,
    /// How many tasks are queued in all.
    pub queued: u64,
    /// What an attempt takes.
    pub estimate: Estimate,
    /// When it starts, in milliseconds from now; absent when that cannot be foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_in_ms: Option<u64>,
    /// When it is done, in milliseconds from now; absent when that cannot be foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_in_ms: Option<u64>,
    /// When its result is of no use any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Nothing: it has ended.
    Ended,
    /// Its result: workers have it.
    Result,
    /// Its circuit, which is being prepared.
    Circuit,
    /// The end of the back-off after a lost attempt.
    BackOff,
    /// A worker: none is joined, or all are draining.
    Worker,
    /// A larger worker than any that is joined.
    LargerWorker,
    /// Memory of a worker that runs others now.
    Memory,
    /// A slot: all of them are taken.
    Slot,
    /// Its turn, or its tenant's.
    Turn,
    /// Nothing: it is leased at once.
    Nothing,
    /// A reason that this reader does not know.
    #[serde(other)]
    Other,
}

/// What an attempt takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// How long it runs.
    pub duration_ms: u64,
    /// The memory that is set aside for it.
    pub memory_bytes: u64,
    /// The threads that this assumes.
    pub threads: u32,
    /// What it rests on, such as `measured 12 times here` or `predicted from the shape`.
    pub basis: String,
}

/// Where a watched task stands, and what remains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskEvent {
    /// The task.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::TASK)))]
    pub task: String,
    /// Where it stands.
    pub state: TaskState,
    /// What is being done to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Its newest attempt; 0 before the first.
    pub attempt: u32,
    /// What it waits for, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// When it starts, in milliseconds from now; absent when that cannot be foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_in_ms: Option<u64>,
    /// When it is done, in milliseconds from now; absent when that cannot be foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_in_ms: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}
