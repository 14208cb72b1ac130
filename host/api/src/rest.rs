//! The documents of the REST API, as the gateway writes and the client reads them.
//!
//! Requests refuse unknown fields; answers may gain fields in a later version, so a reader skips
//! what it does not know. Ids and digests are text here: the gateway parses them at its edge.
//! Field elements are `0x` and 64 lower-case hex digits, big-endian.

mod admin;
mod batch;
mod check;
mod circuit;
mod explain;
#[cfg(feature = "schema")]
mod form;
mod health;
mod log;
mod overview;
mod plugin;
mod proof;
mod reference;
mod signature;
mod table;
mod task;
mod time;
mod verifying_key;
mod webhook;
mod worker;

pub use admin::{
    AuditEntry, AuditTrail, Key, KeyList, KeyRequest, Me, NewKey, Quotas, Role, Sharing, Tenant,
    TenantList, TenantRequest, Usage,
};
pub use batch::{
    BATCH_PROOFS_MAX, BATCH_TASKS_MAX, BatchItem, BatchReport, BatchRequest, ProofClaim,
    VerifyBatchReport, VerifyBatchRequest,
};
pub use check::{Cell, CheckReport, CheckRequest, Failure, Region};
pub use circuit::{Circuit, CircuitRequest, CircuitState, Lint, PublicInput, Shape};
pub use explain::{Estimate, Explanation, TaskEvent, Wait};
pub use health::{Check, Health, Live};
pub use log::{LogProof, TaskReceipt};
pub use overview::{
    ClusterMember, ClusterStanding, OVERVIEW_TENANTS_MAX, Overview, TaskCounts, TenantLoad,
};
pub use plugin::{Plugin, PluginList, PluginState, PublicInputName};
pub use proof::{Elements, ProofRecord, PublicInputs, Verdict, VerifyRequest};
pub use reference::{PluginRef, ReferenceError};
pub use signature::{ComponentSignature, SIGNATURE_HEADER, SignatureError};
pub use table::CodeTable;
pub use task::{
    Attempt, PRIORITY_DEFAULT, PRIORITY_MAX, Stage, Task, TaskKind, TaskPage, TaskRequest,
    TaskState, Timings,
};
pub use time::{Timestamp, TimestampError};
pub use verifying_key::{
    CircuitKey, Revocation, RevocationRequest, VerifyingKey, VerifyingKeyList, VerifyingKeyRequest,
    VerifyingKeyState, VerifyingKeyVersion,
};
pub use webhook::{
    Delivery, DeliveryList, DeliveryState, Event, EventKind, Webhook, WebhookList, WebhookRequest,
    WebhookTest,
};
pub use worker::{WorkerInfo, WorkerList};

#[cfg(test)]
mod tests;
