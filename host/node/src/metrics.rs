//! Figures for Prometheus: what this process counted, and what it looks up when it is asked.
//!
//! ```text
//!  Prometheus ── GET /metrics ──▸ serve ──▸ gather ── Facts ──▸ sheet ──▸ page
//!                                             │ ledger, Raft, disk, worker, health
//! ```
//!
//! The listener is one of its own: what is told here is the operator's business, and a path that a
//! gateway serves to clients is one forgotten rule of a proxy away from everybody's. No key is asked
//! for, because a collector has none; who reaches the address is the network's business.

mod facts;
mod gather;
mod serve;
mod sheet;

pub(crate) use gather::{MemberSource, Sources, WorkerSource};
pub(crate) use serve::serve;
