//! The cluster at one moment, on the wire: what waits, who works, who leads.

use serde::{Deserialize, Serialize};

use super::{Timestamp, WorkerInfo};

/// Tenants that an overview names: those with the most to do.
pub const OVERVIEW_TENANTS_MAX: u32 = 100;

/// The cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    /// When, by the leader's clock.
    pub at: Timestamp,
    /// The coordinators.
    pub cluster: ClusterStanding,
    /// The tasks that have not ended.
    pub tasks: TaskCounts,
    /// The tenants with the most live tasks, those with the most first; at most 100.
    pub tenants: Vec<TenantLoad>,
    /// How many tenants there are.
    pub tenant_count: u64,
    /// The workers that are joined or in quarantine, by name.
    pub workers: Vec<WorkerInfo>,
}

/// The group of coordinators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClusterStanding {
    /// Its name.
    pub name: String,
    /// Which election its leader won.
    pub term: u64,
    /// The member that leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<u64>,
    /// Index of the last entry that the leader has applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<u64>,
    /// The members by id.
    pub members: Vec<ClusterMember>,
}

/// A coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClusterMember {
    /// Its id.
    pub id: u64,
    /// Whether it leads.
    pub leader: bool,
    /// Whether it votes; a learner does not yet.
    pub voter: bool,
    /// How many of the leader's entries it lacks; absent where the leader has not heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
}

/// How many tasks have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskCounts {
    /// Those that wait for a worker, or for the end of a back-off.
    pub queued: u64,
    /// Those that wait for their circuit.
    pub waiting: u64,
    /// Those that workers have.
    pub running: u64,
}

/// What a tenant has to do, and had done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TenantLoad {
    /// Its name.
    pub tenant: String,
    /// Tasks that have not ended.
    pub live: u64,
    /// Attempts that run.
    pub running: u64,
    /// Proofs that were made so far.
    pub proofs: u64,
    /// Tasks that failed so far.
    pub failed: u64,
}
