//! What the ledger answers to a command: what happened, or a refusal that changed nothing.

use aureole_receipts::Leaf;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    AttemptRef, CircuitId, Digest, KeyId, Millis, Problem, QuotaItem, TaskId, TaskPhase, TenantId,
    WebhookId, WorkerId, codes,
};

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Outcome {
    /// The plugin is known.
    PluginRegistered {
        /// Its inspection: the command's when `created`, else an earlier one.
        task: TaskId,
        /// Whether this command started an inspection.
        created: bool,
    },
    /// The circuit is known.
    CircuitRegistered {
        /// Its id.
        circuit: CircuitId,
        /// Its preparation, if it had one of its own.
        task: Option<TaskId>,
        /// Whether this command started a preparation.
        created: bool,
    },
    /// The task is known.
    TaskSubmitted {
        /// The command's task when `created`, else the one that the idempotency key stands for.
        task: TaskId,
        /// Whether this command queued it.
        created: bool,
    },
    /// The worker has the lease.
    Leased,
    /// The leases were extended, but for those that are no longer the worker's.
    Renewed {
        /// Attempts the worker must stop.
        lost: Vec<AttemptRef>,
    },
    /// The task has ended with this result, by this command or by the same one before.
    Completed {
        /// The other attempt, which came too late.
        stop: Vec<AttemptRef>,
        /// What the log has of a proof since this command.
        leaf: Option<Box<LogLeaf>>,
    },
    /// The attempt ended without a result.
    AttemptEnded {
        /// Whether the task waits for another attempt or still has one; otherwise it failed.
        requeued: bool,
        /// The other attempt of a task that failed.
        stop: Vec<AttemptRef>,
    },
    /// The task is cancelled, by this command or an earlier one.
    Cancelled {
        /// The attempts to stop.
        stop: Vec<AttemptRef>,
    },
    /// The plugin is retired, by this command or an earlier one.
    PluginRetired {
        /// The attempt at its inspection to stop.
        stop: Vec<AttemptRef>,
    },
    /// Finished tasks were dropped.
    Forgotten {
        /// How many.
        count: u64,
    },
    /// The plugin has a signer, by this command or an earlier one.
    PluginSigned,
    /// The task failed by its deadline.
    TaskExpired {
        /// The attempts to stop.
        stop: Vec<AttemptRef>,
    },
    /// The tenant has the weight.
    WeightSet,
    /// The worker is kept for the task.
    Reserved,
    /// The key is the current one under the name.
    VerifyingKeyPublished {
        /// Its number there.
        version: u32,
        /// Whether this command published it.
        created: bool,
    },
    /// The key is revoked, by this command or an earlier one.
    VerifyingKeyRevoked {
        /// The attempts to stop: those at proofs under it.
        stop: Vec<AttemptRef>,
        /// How many tasks failed by it.
        failed: u64,
    },
    /// Nothing is held against the worker any more.
    WorkerTrusted,
    /// The subscription is there, by this command or by the same one before.
    WebhookCreated,
    /// The subscription is gone.
    WebhookDeleted,
    /// The delivery has ended, by this command or an earlier one.
    DeliverySettled,
    /// The event is to be delivered.
    DeliveryReplayed,
    /// Nothing changed.
    Refused(Refusal),
    /// The tenant is as it was asked for.
    TenantPut {
        /// Whether this command made it.
        created: bool,
    },
    /// The key opens what its record says, by this command or by the same one before.
    KeyCreated,
    /// The key opens nothing more, by this command or an earlier one.
    KeyRevoked,
    /// The plugin is for whom it was asked to be.
    PluginShared,
    /// The ledger knows what of the trail the archive has.
    ActsArchived,
}

/// A leaf that a command appended to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLeaf {
    /// Where it stands, from 0.
    pub index: u64,
    /// What it says.
    pub leaf: Leaf,
}

// === impl Outcome ===

impl Outcome {
    /// Returns the attempts that this ended under their workers' hands.
    pub fn to_stop(&self) -> &[AttemptRef] {
        match self {
            Self::Completed { stop, .. }
            | Self::AttemptEnded { stop, .. }
            | Self::Cancelled { stop }
            | Self::PluginRetired { stop }
            | Self::TaskExpired { stop }
            | Self::VerifyingKeyRevoked { stop, .. } => stop,
            _ => &[],
        }
    }
}

/// Why a command changed nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// No plugin has this digest.
    #[error("plugin {0} is unknown")]
    UnknownPlugin(Digest),
    /// No circuit has this id.
    #[error("circuit {0} is unknown")]
    UnknownCircuit(CircuitId),
    /// No task has this id; it may have been moved to the archive.
    #[error("task {0} is unknown")]
    UnknownTask(TaskId),
    /// The plugin's inspection has not ended.
    #[error("plugin {0} is still being inspected")]
    PluginInspecting(Digest),
    /// The plugin was refused by its inspection.
    #[error("plugin {plugin} was rejected: {}", problem.detail)]
    PluginRejected {
        /// The plugin.
        plugin: Digest,
        /// Why.
        problem: Problem,
    },
    /// The plugin was taken out of use.
    #[error("plugin {0} is retired")]
    PluginRetired(Digest),
    /// The circuit cannot be built.
    #[error("circuit {circuit} was rejected: {}", problem.detail)]
    CircuitRejected {
        /// The circuit.
        circuit: CircuitId,
        /// Why.
        problem: Problem,
    },
    /// The id of a fresh task is taken by another one.
    #[error("task {0} exists already and is another one")]
    TaskExists(TaskId),
    /// The task has ended, which nothing undoes.
    #[error("task {task} has ended: {}", phase.name())]
    TaskFinished {
        /// The task.
        task: TaskId,
        /// How it ended.
        phase: TaskPhase,
    },
    /// No worker has the task.
    #[error("task {0} is not leased")]
    NotLeased(TaskId),
    /// The task cannot be leased now.
    #[error("task {0} does not wait for a worker")]
    NotWaiting(TaskId),
    /// The attempt is not the task's newest.
    #[error("attempt {attempt} of task {task} is not the current one, which is {current}")]
    StaleAttempt {
        /// The task.
        task: TaskId,
        /// The attempt named.
        attempt: u32,
        /// The attempt that counts.
        current: u32,
    },
    /// Another worker has the lease.
    #[error("attempt {attempt} of task {task} belongs to another worker")]
    ForeignLease {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: u32,
    },
    /// The lease was renewed in the meantime.
    #[error("the lease of task {task} lasts until {expires_at}")]
    LeaseAlive {
        /// The task.
        task: TaskId,
        /// Its deadline.
        expires_at: Millis,
    },
    /// The result is not of the task's kind.
    #[error("the result is not of the kind that task {0} asks for")]
    CompletionMismatch(TaskId),
    /// Only proofs can be cancelled: inspections and preparations serve others too.
    #[error("task {0} is an inspection or a preparation, which cannot be cancelled")]
    NotCancellable(TaskId),
    /// The idempotency key stands for another request.
    #[error("the idempotency key belongs to task {task} with another request")]
    IdempotencyConflict {
        /// The task the key stands for.
        task: TaskId,
    },
    /// The task has no deadline, or it has not passed.
    #[error("task {0} is not past its deadline")]
    DeadlineAhead(TaskId),
    /// A second attempt is not made: one runs already, the worker has the first, the task is no
    /// proof, or its budget would be spent if both were lost.
    #[error("task {0} gets no second attempt beside the one that is running")]
    NotSpeculative(TaskId),
    /// Proofs under the circuit's key are worth nothing any more.
    #[error("the key {key} is revoked: {reason}")]
    VerifyingKeyRevoked {
        /// The key.
        key: Digest,
        /// Why.
        reason: String,
        /// Since when.
        at: Millis,
    },
    /// No circuit has this key.
    #[error("no circuit has the key {0}")]
    UnknownVerifyingKey(Digest),
    /// The circuit has no key yet.
    #[error("circuit {0} is still being prepared")]
    CircuitPreparing(CircuitId),
    /// A name for keys is malformed.
    #[error("the name of a key has 1 to {max} of the characters a-z 0-9 -")]
    VerifyingKeyName {
        /// The longest name allowed.
        max: u64,
    },
    /// Keys under the name are another tenant's to publish.
    #[error("the name {name} belongs to another tenant")]
    VerifyingKeyNameTaken {
        /// The name.
        name: String,
    },
    /// The worker's proofs did not verify too often.
    #[error(
        "worker {worker} is in quarantine since {since}: {invalid_proofs} of its proofs did not verify"
    )]
    WorkerQuarantined {
        /// The worker.
        worker: WorkerId,
        /// Since when.
        since: Millis,
        /// How many.
        invalid_proofs: u32,
    },
    /// The tenant has no such subscription.
    #[error("webhook {0} is unknown")]
    UnknownWebhook(WebhookId),
    /// The id of a fresh subscription is taken by another one.
    #[error("webhook {0} exists already and is another one")]
    WebhookExists(WebhookId),
    /// A subscription to nothing.
    #[error("webhook {0} would tell of nothing")]
    NoEvents(WebhookId),
    /// The event is not remembered with the subscription, and its task neither.
    #[error("webhook {webhook} has no event of task {task}")]
    UnknownDelivery {
        /// The subscription.
        webhook: WebhookId,
        /// The task.
        task: TaskId,
    },
    /// A limit of this crate is reached.
    #[error("{item} would be {value}, the limit is {max}")]
    Limit {
        /// What is limited.
        item: String,
        /// What it would become.
        value: u64,
        /// The most allowed.
        max: u64,
    },
    /// A tenant's quota is used up.
    #[error("{used} and {asked} more {}: tenant {tenant} may have {limit}", item.unit())]
    Quota {
        /// Whose.
        tenant: TenantId,
        /// What is limited.
        item: QuotaItem,
        /// What is used.
        used: u64,
        /// What was asked for.
        asked: u64,
        /// The most allowed.
        limit: u64,
        /// How long until the use begins anew; 0 where it only ends with what uses it.
        retry_ms: Millis,
    },
    /// No tenant has this name.
    #[error("tenant {0} is unknown")]
    UnknownTenant(TenantId),
    /// The tenant may do nothing.
    #[error("tenant {0} is suspended")]
    TenantSuspended(TenantId),
    /// The tenant that is always there cannot be suspended: the administrator's keys are its.
    #[error("the tenant `default` cannot be suspended")]
    DefaultTenant,
    /// No key has this public part.
    #[error("key {0} is unknown")]
    UnknownKey(KeyId),
    /// The public part of a fresh key is taken.
    #[error("key {0} exists already and is another one")]
    KeyExists(KeyId),
    /// Another plugin of the tenant has the name and version.
    #[error("{name} {version} is another plugin of this tenant already")]
    VersionTaken {
        /// The name.
        name: String,
        /// The version.
        version: String,
    },
    /// Another plugin is public under the name and version.
    #[error("{name} {version} is another public plugin already")]
    PublicNameTaken {
        /// The name.
        name: String,
        /// The version.
        version: String,
    },
}

// === impl Refusal ===

impl Refusal {
    /// Returns the stable code of the table in `host/api`.
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownPlugin(_) => "plugin.unknown",
            Self::UnknownCircuit(_) => "circuit.unknown",
            Self::UnknownTask(_) => "task.unknown",
            Self::PluginInspecting(_) => "plugin.inspecting",
            Self::PluginRejected { .. } => "plugin.rejected",
            Self::PluginRetired(_) => "plugin.retired",
            Self::CircuitRejected { .. } => "circuit.rejected",
            Self::TaskExists(_) => "task.exists",
            Self::TaskFinished { .. } => "task.finished",
            Self::NotLeased(_) => "task.not_leased",
            Self::NotWaiting(_) => "task.not_waiting",
            Self::StaleAttempt { .. } => "task.stale_attempt",
            Self::ForeignLease { .. } => "task.foreign_lease",
            Self::LeaseAlive { .. } => "task.lease_alive",
            Self::CompletionMismatch(_) => "task.completion_mismatch",
            Self::NotCancellable(_) => "task.not_cancellable",
            Self::IdempotencyConflict { .. } => "request.idempotency_conflict",
            Self::DeadlineAhead(_) => "task.deadline_ahead",
            Self::NotSpeculative(_) => "task.not_speculative",
            Self::VerifyingKeyRevoked { .. } => codes::VERIFYING_KEY_REVOKED,
            Self::UnknownVerifyingKey(_) => "verifying_key.unknown",
            Self::CircuitPreparing(_) => "circuit.not_ready",
            Self::VerifyingKeyName { .. } => "verifying_key.name",
            Self::VerifyingKeyNameTaken { .. } => "verifying_key.name_taken",
            Self::WorkerQuarantined { .. } => "worker.quarantined",
            Self::UnknownWebhook(_) => "webhook.unknown",
            Self::WebhookExists(_) => "webhook.exists",
            Self::NoEvents(_) => "webhook.events",
            Self::UnknownDelivery { .. } => "webhook.delivery_unknown",
            Self::Limit { .. } => "limits.ledger",
            Self::Quota { item, .. } => item.code(),
            Self::UnknownTenant(_) => "tenant.unknown",
            Self::TenantSuspended(_) => "tenant.suspended",
            Self::DefaultTenant => "tenant.default",
            Self::UnknownKey(_) => "key.unknown",
            Self::KeyExists(_) => "key.exists",
            Self::VersionTaken { .. } => "plugin.version_immutable",
            Self::PublicNameTaken { .. } => "plugin.public_name_taken",
        }
    }
}
