//! Replicates the ledger by Raft and hands out leases.
//!
//! A [`Coordinator`] is one member of the group: commands go through [`Coordinator::propose`], which
//! returns when they are committed, on disk and applied; facts are read with [`Coordinator::read`].
//! The leader plans whenever the facts, the workers or the time call for it, and speaks to workers by
//! the service that [`Coordinator::workers_service`] returns. No completion with a proof is proposed
//! before a [`Verifier`] accepted the proof.

mod config;
#[cfg(test)]
mod conformance;
mod coordinator;
mod dispatch;
mod events;
mod hub;
mod limits;
mod log;
mod machine;
mod network;
mod planner;
mod proposer;
mod raft;
mod snapshot;
mod verify;
mod wire;
mod workers;

pub use config::{Clock, Config, SystemClock};
pub use coordinator::{Coordinator, StartError, TaskView};
pub use events::Event;
pub use hub::WorkerStatus;
pub use log::LogError;
pub use proposer::ProposeError;
pub use snapshot::SnapshotError;
pub use verify::{CircuitKey, InputKeys, KeyError, Verdict, Verifier, VerifyError};
pub use workers::WorkersService;
