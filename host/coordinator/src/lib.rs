//! Replicates the ledger by Raft and hands out leases.
//!
//! A [`Coordinator`] is one member of the group: commands go through [`Coordinator::propose`], which
//! returns when they are committed, on disk and applied; facts are read with [`Coordinator::read`].
//! The leader plans whenever the facts, the workers or the time call for it, and speaks to workers by
//! the service that [`Coordinator::workers_service`] returns. Members speak to each other by
//! [`Coordinator::raft_service`], over channels that a [`Dial`] makes. No completion with a proof is proposed
//! before a [`Verifier`] accepted the proof.

mod batch;
pub mod blobs;
mod chance;
mod clock;
mod config;
#[cfg(test)]
mod conformance;
mod coordinator;
mod dial;
mod dispatch;
mod events;
mod group;
mod hub;
mod identity;
mod journeys;
mod limits;
mod log;
mod machine;
mod members;
mod network;
mod planner;
mod proposer;
mod raft;
pub mod receipts;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rot;
mod runtime;
mod snapshot;
mod start;
mod tally;
mod verify;
mod wire;
mod workers;

pub use config::{Clock, Config, Founding, Simulation, SystemClock};
pub use coordinator::{Coordinator, DiskUse, TaskView};
pub use dial::{Dial, DialError, DialNothing};
pub use events::Event;
pub use group::{Ended, Leader, LeaderWatch};
pub use hub::WorkerStatus;
pub use log::LogError;
pub use members::{ClusterStatus, MemberError, MemberStatus, MembersService};
pub use network::RaftService;
pub use proposer::ProposeError;
pub use snapshot::SnapshotError;
pub use start::StartError;
pub use verify::{CircuitKey, InputKeys, KeyError, Verdict, Verifier, VerifyError};
pub use workers::WorkersService;
