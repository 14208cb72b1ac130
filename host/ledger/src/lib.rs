//! The replicated facts: plugins, circuits and tasks, with no clock, randomness or IO.
//!
//! [`State::apply`] and [`plan`] are functions: time, ids and chance enter as fields of a
//! [`Command`], so that replaying a log twice gives equal states. Bytes never enter: a command names
//! components, parameters, inputs and proofs by digest and is smaller than 4 KiB.

mod access;
mod apply;
mod audit;
mod backlog;
mod circuit;
mod codec;
mod command;
mod estimate;
mod explain;
mod fair;
mod ids;
mod key;
pub mod limits;
mod outcome;
mod place;
mod plan;
mod plugin;
mod problem;
mod published;
mod quota;
mod state;
mod steady;
mod task;
mod tenant;
mod trust;
mod webhook;

pub use access::Role;
pub use audit::{Act, AuditEntry};
pub use aureole_receipts::Salt;
pub use backlog::{Backlog, Depth};
pub use circuit::{CircuitFacts, CircuitRecord, CircuitState};
pub use codec::{CommandError, StateError};
pub use command::{Acceptance, AttemptRef, Command, Completion, Expiry, Idempotency};
pub use estimate::{Basis, Estimate, Measured, Need, Pace, speedup};
pub use explain::{Explanation, Position, Wait, admit, explain};
pub use ids::{CircuitId, Digest, IdError, KeyId, Millis, Signer, TaskId, WebhookId, WorkerId};
pub use key::KeyRecord;
pub use outcome::{LogLeaf, Outcome, Refusal};
pub use place::WorkerView;
pub use plan::{PlanOptions, plan};
pub use plugin::{PluginFacts, PluginRecord, PluginState, Visibility};
pub use problem::{Problem, codes};
pub use published::{Revocation, VerifyingKeyName, VerifyingKeyVersion};
pub use quota::{CORE_WINDOW_MS, Holdings, QuotaItem, Quotas, Usage};
pub use state::State;
pub use steady::{Reading, SteadyClock};
pub use task::{
    Accepted, Attempt, Lease, Priority, Reservation, Stage, TaskKind, TaskPhase, TaskRecord,
    TaskState, Timings,
};
pub use tenant::{Share, TenantId, TenantRecord};
pub use trust::Distrust;
pub use webhook::{
    Delivery, DeliveryState, EventKind, EventSet, Failure, PendingEvent, Settlement, WebhookRecord,
};
