//! What is known at one moment: plain figures, from which a page is written.

use aureole_coordinator::{ClusterStatus, DiskUse};
use aureole_ledger::{Backlog, Millis, TenantId, Usage};
use aureole_store::Space;

/// Everything that was looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// When the process started, in seconds since 1970.
    pub(super) started_at: u64,
    pub(super) roles: String,
    /// When its certificate ends, in seconds since 1970.
    pub(super) certificate_ends: Option<u64>,
    pub(super) member: Option<MemberFacts>,
    pub(super) worker: Option<WorkerFacts>,
    /// Each check of the process's health, and whether it holds.
    pub(super) checks: Vec<(String, bool)>,
    pub(super) ready: Option<bool>,
}

/// What a coordinator knows of itself, and of the cluster while it leads.
#[derive(Clone, Debug)]
pub(super) struct MemberFacts {
    pub(super) standing: ClusterStatus,
    pub(super) disk_use: DiskUse,
    pub(super) space: Option<Space>,
    /// Leaves on this member's disk.
    pub(super) leaves: u64,
    pub(super) leader: Option<LeaderFacts>,
}

/// What one member alone tells, so that no figure counts twice.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaderFacts {
    pub(super) now: Millis,
    pub(super) backlog: Backlog,
    /// Tasks that wait for their circuit.
    pub(super) waiting: u64,
    pub(super) running: u64,
    pub(super) leases: u64,
    /// Finished tasks that the ledger still has.
    pub(super) finished: u64,
    pub(super) finished_max: u64,
    pub(super) archive_lag_ms: Option<Millis>,
    /// Accepted proofs in the log.
    pub(super) receipts: u64,
    pub(super) workers: Vec<JoinedWorker>,
    pub(super) tenants: Vec<(TenantId, Usage)>,
}

/// A worker that is joined.
#[derive(Clone, Debug)]
pub(super) struct JoinedWorker {
    pub(super) name: String,
    pub(super) slots: u32,
    pub(super) draining: bool,
    pub(super) quarantined: bool,
}

/// What a worker knows of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkerFacts {
    pub(super) joined: bool,
    pub(super) slots: u32,
    pub(super) running: u64,
    pub(super) warm_keys: u64,
    pub(super) key_bytes: u64,
    /// Compiled code on disk.
    pub(super) code_bytes: u64,
    /// Blobs of the coordinators on disk; a worker beside a coordinator keeps none.
    pub(super) blob_bytes: Option<u64>,
}
