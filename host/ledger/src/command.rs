//! What may be asked of the ledger. The enum is append-only: its order is the log's format.

use aureole_receipts::Salt;
use serde::{Deserialize, Serialize};

use crate::{
    CircuitFacts, CircuitId, Digest, KeyId, KeyRecord, Millis, Priority, Problem, Quotas,
    Settlement, Signer, TaskId, TenantId, Timings, Visibility, WebhookId, WebhookRecord, WorkerId,
};

/// A change of the facts, proposed by the leader. `now` is the proposer's clock.
///
/// Variants and fields are only ever appended: a log is read back by position. A new variant keeps
/// old logs readable; a new field does not, and raises the version that an encoded command carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Makes a component known and queues its inspection. The bytes are in the depot.
    RegisterPlugin {
        /// The component.
        component: Digest,
        /// How many bytes it has.
        bytes: u64,
        /// Fresh id for the inspection; unused when the plugin is known.
        task: TaskId,
        /// When.
        now: Millis,
        /// Whose share the inspection uses.
        tenant: TenantId,
    },
    /// Makes a circuit of a ready plugin known and queues its preparation.
    RegisterCircuit {
        /// The plugin.
        plugin: Digest,
        /// The parameters as canonical JSON, in the depot.
        params: Digest,
        /// Fresh id for the preparation; unused when the circuit is known.
        task: TaskId,
        /// When.
        now: Millis,
        /// Whose share the preparation uses.
        tenant: TenantId,
    },
    /// Queues a proof. The sealed input is in the depot.
    SubmitTask {
        /// Fresh id.
        task: TaskId,
        /// The circuit; it may still be preparing.
        circuit: CircuitId,
        /// The sealed input.
        input: Digest,
        /// How urgent.
        priority: Priority,
        /// Makes a repeated submission answer with the first one's task.
        idempotency: Option<Idempotency>,
        /// When.
        now: Millis,
        /// Whose share it uses.
        tenant: TenantId,
        /// When the result is of no use any more: the task fails then.
        deadline: Option<Millis>,
        /// How many bytes the input has.
        input_bytes: u64,
    },
    /// Gives a queued task to a worker, or a running one to a second worker as well.
    LeaseTask {
        /// The task.
        task: TaskId,
        /// One more than its newest attempt.
        attempt: u32,
        /// Who gets it.
        worker: WorkerId,
        /// Until when without a renewal.
        expires_at: Millis,
        /// When.
        now: Millis,
        /// How many threads the attempt may use.
        threads: u32,
        /// How much of the worker's memory is set aside for it.
        memory_bytes: u64,
        /// Whether this is a second attempt beside one that is running: the first result counts.
        /// Without it a running task is not leased.
        speculative: bool,
    },
    /// Extends leases of a worker that is alive.
    RenewLeases {
        /// Who has them.
        worker: WorkerId,
        /// Which; at most `RENEWALS_MAX`.
        leases: Vec<AttemptRef>,
        /// The new deadline; never moves one back.
        expires_at: Millis,
        /// When.
        now: Millis,
    },
    /// Ends a task well. A proof was verified before.
    CompleteTask {
        /// The task.
        task: TaskId,
        /// The attempt that did it.
        attempt: u32,
        /// Who did it.
        worker: WorkerId,
        /// The result.
        completion: Completion,
        /// Microseconds by stage; the ledger adds `Stage::Queue`.
        timings: Timings,
        /// When.
        now: Millis,
        /// Most memory that the attempt's processes had at once, if the worker measured it.
        peak_memory_bytes: Option<u64>,
        /// What the log says of a proof beside; of other results it says nothing.
        acceptance: Acceptance,
    },
    /// Ends an attempt without a result.
    FailAttempt {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: u32,
        /// Who had it.
        worker: WorkerId,
        /// Why. The code `task.handed_back` makes the attempt not count.
        problem: Problem,
        /// Whether another attempt could end differently.
        retryable: bool,
        /// When.
        now: Millis,
    },
    /// Takes a lease away.
    ExpireLease {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: u32,
        /// Why.
        reason: Expiry,
        /// When.
        now: Millis,
    },
    /// Stops a task on its owner's behalf.
    CancelTask {
        /// The task.
        task: TaskId,
        /// When.
        now: Millis,
    },
    /// Takes a plugin out of use.
    RetirePlugin {
        /// The plugin.
        component: Digest,
        /// When.
        now: Millis,
        /// Which tenant has no more use for it, while others may; everybody when absent.
        tenant: Option<TenantId>,
        /// Who does it.
        actor: String,
    },
    /// Drops finished tasks that the archive has; at most `FORGET_MAX`.
    ForgetTasks {
        /// The tasks; unfinished ones stay.
        tasks: Vec<TaskId>,
    },
    /// Notes who signed a component. The signature was verified before this was proposed; the
    /// first signer stays.
    SignPlugin {
        /// The plugin.
        component: Digest,
        /// Who signed it.
        signer: Signer,
    },
    /// Fails a task whose deadline passed.
    ExpireTask {
        /// The task.
        task: TaskId,
        /// When.
        now: Millis,
    },
    /// Sets a tenant's weight.
    SetWeight {
        /// The tenant.
        tenant: TenantId,
        /// Its part of the cluster beside the others who have work: 1 to `WEIGHT_MAX`.
        weight: u32,
    },
    /// Keeps a worker free until a task fits it, in place of an earlier reservation.
    ReserveWorker {
        /// The queued task.
        task: TaskId,
        /// The worker.
        worker: WorkerId,
    },
    /// Makes a tenant, or changes it. What is absent stays as it is when the command is applied, and
    /// is ordinary for a new one: of two changes at once neither undoes the other.
    PutTenant {
        /// Which.
        tenant: TenantId,
        /// Its part of the cluster beside the others who have work: 1 to `WEIGHT_MAX`.
        weight: Option<u32>,
        /// What it may have.
        quotas: Option<Quotas>,
        /// Whether it may do nothing.
        suspended: Option<bool>,
        /// Who does it.
        actor: String,
        /// When.
        now: Millis,
    },
    /// Makes a key, whose secret only its maker knows.
    CreateKey {
        /// The key; it is made when the record says.
        key: KeyRecord,
        /// Who does it.
        actor: String,
    },
    /// Makes a key open nothing more.
    RevokeKey {
        /// Which.
        key: KeyId,
        /// Who does it.
        actor: String,
        /// When.
        now: Millis,
    },
    /// Says who else may use a tenant's plugin.
    SharePlugin {
        /// The plugin.
        component: Digest,
        /// Whose.
        tenant: TenantId,
        /// Who may.
        visibility: Visibility,
        /// Who does it.
        actor: String,
        /// When.
        now: Millis,
    },
    /// Makes a ready circuit's key the current one under a name. The keys before it stay, and proofs
    /// under them verify as before: that is how a key is rotated.
    PublishVerifyingKey {
        /// The name.
        name: String,
        /// The circuit.
        circuit: CircuitId,
        /// Who publishes; a name belongs to whoever published under it first.
        tenant: TenantId,
        /// When.
        now: Millis,
    },
    /// Declares that proofs under a key are worth nothing any more. Nothing undoes it.
    RevokeVerifyingKey {
        /// Identity of the key.
        key: Digest,
        /// Why, for people; at most `REASON_BYTES_MAX`.
        reason: String,
        /// When.
        now: Millis,
    },
    /// Trusts a worker again, and forgets the proofs of it that did not verify.
    TrustWorker {
        /// The worker.
        worker: WorkerId,
    },
    /// Subscribes to the ends of a tenant's proofs.
    CreateWebhook {
        /// The subscription; what it counts begins at nothing.
        webhook: WebhookRecord,
    },
    /// Ends a subscription and forgets what was to be delivered to it.
    DeleteWebhook {
        /// The subscription.
        webhook: WebhookId,
        /// Whose it is.
        tenant: TenantId,
    },
    /// Ends a delivery.
    SettleDelivery {
        /// The subscription.
        webhook: WebhookId,
        /// The task whose end was told.
        task: TaskId,
        /// How it ended.
        settlement: Settlement,
        /// Attempts that this leader made.
        attempts: u32,
        /// When.
        now: Millis,
    },
    /// Queues an event again.
    ReplayDelivery {
        /// The subscription.
        webhook: WebhookId,
        /// Whose it is.
        tenant: TenantId,
        /// The task whose end is told.
        task: TaskId,
        /// When.
        now: Millis,
    },
    /// Notes up to which number the archive has the trail of administrative acts.
    ArchiveActs {
        /// The number of the last act that it has.
        through: u64,
    },
}

/// What whoever accepts a proof adds to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Name of the build that verified it, at most [`aureole_receipts::limits::BUILD_BYTES_MAX`].
    pub verifier: String,
    /// Randomness for the commitment to its public inputs.
    pub salt: Salt,
}

/// A submitter's key against double submission, scoped by the submitter before hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Digest of the key.
    pub key: Digest,
    /// Digest of the request: the same key with another request is refused.
    pub request: Digest,
}

/// An attempt at a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptRef {
    /// The task.
    pub task: TaskId,
    /// The attempt's number.
    pub attempt: u32,
}

/// Why a lease is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// Its deadline passed.
    Deadline,
    /// The worker joined again without it.
    WorkerRestarted,
    /// The worker joined again without it after the leader changed or was restarted too: no evidence
    /// against the task, so the attempt does not count.
    NodeRestarted,
}

/// The result of a task that ended well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Completion {
    /// A component is a plugin.
    PluginInspected {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// The description as JSON, in the depot.
        description: Digest,
        /// The default parameters as canonical JSON, in the depot.
        default_params: Option<Digest>,
        /// The circuit they give. Without default parameters it is ignored.
        default_circuit: Option<CircuitFacts>,
    },
    /// A circuit was built.
    CircuitPrepared(CircuitFacts),
    /// A proof was made and verified.
    Proved {
        /// The proof, in the depot.
        proof: Digest,
        /// The public inputs, in the depot: 32 bytes each, in the circuit's order.
        public_inputs: Digest,
    },
}

// === impl Acceptance ===

impl Acceptance {
    /// Returns what goes with a result that is no proof.
    pub const fn none() -> Self {
        Self {
            verifier: String::new(),
            salt: Salt::from_bytes([0; 32]),
        }
    }
}

// === impl Command ===

impl Command {
    /// Returns when it was proposed, as far as it says so.
    pub const fn now(&self) -> Option<Millis> {
        match self {
            Self::RegisterPlugin { now, .. }
            | Self::RegisterCircuit { now, .. }
            | Self::SubmitTask { now, .. }
            | Self::LeaseTask { now, .. }
            | Self::RenewLeases { now, .. }
            | Self::CompleteTask { now, .. }
            | Self::FailAttempt { now, .. }
            | Self::ExpireLease { now, .. }
            | Self::CancelTask { now, .. }
            | Self::RetirePlugin { now, .. }
            | Self::ExpireTask { now, .. }
            | Self::PutTenant { now, .. }
            | Self::RevokeKey { now, .. }
            | Self::SharePlugin { now, .. }
            | Self::PublishVerifyingKey { now, .. }
            | Self::RevokeVerifyingKey { now, .. }
            | Self::SettleDelivery { now, .. }
            | Self::ReplayDelivery { now, .. } => Some(*now),
            Self::CreateKey { key, .. } => Some(key.created_at),
            Self::CreateWebhook { webhook } => Some(webhook.created_at),
            Self::ForgetTasks { .. }
            | Self::SignPlugin { .. }
            | Self::SetWeight { .. }
            | Self::ReserveWorker { .. }
            | Self::DeleteWebhook { .. }
            | Self::ArchiveActs { .. }
            | Self::TrustWorker { .. } => None,
        }
    }

    /// Returns the command's name in logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RegisterPlugin { .. } => "register_plugin",
            Self::RegisterCircuit { .. } => "register_circuit",
            Self::SubmitTask { .. } => "submit_task",
            Self::LeaseTask { .. } => "lease_task",
            Self::RenewLeases { .. } => "renew_leases",
            Self::CompleteTask { .. } => "complete_task",
            Self::FailAttempt { .. } => "fail_attempt",
            Self::ExpireLease { .. } => "expire_lease",
            Self::CancelTask { .. } => "cancel_task",
            Self::RetirePlugin { .. } => "retire_plugin",
            Self::ForgetTasks { .. } => "forget_tasks",
            Self::SignPlugin { .. } => "sign_plugin",
            Self::ExpireTask { .. } => "expire_task",
            Self::SetWeight { .. } => "set_weight",
            Self::ReserveWorker { .. } => "reserve_worker",
            Self::PutTenant { .. } => "put_tenant",
            Self::CreateKey { .. } => "create_key",
            Self::RevokeKey { .. } => "revoke_key",
            Self::SharePlugin { .. } => "share_plugin",
            Self::PublishVerifyingKey { .. } => "publish_verifying_key",
            Self::RevokeVerifyingKey { .. } => "revoke_verifying_key",
            Self::TrustWorker { .. } => "trust_worker",
            Self::CreateWebhook { .. } => "create_webhook",
            Self::DeleteWebhook { .. } => "delete_webhook",
            Self::SettleDelivery { .. } => "settle_delivery",
            Self::ReplayDelivery { .. } => "replay_delivery",
            Self::ArchiveActs { .. } => "archive_acts",
        }
    }
}
