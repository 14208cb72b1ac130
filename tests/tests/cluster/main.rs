//! Stories of a whole cluster that suffers: real processes, real faults, real proofs.
//!
//! One file a kind of fault. Each story lets clients work, breaks something and looks that it is
//! broken, and ends with the audit that is the same for all: nothing acknowledged is lost, each task
//! has one completion, no invalid proof is served, the coordinators agree, and what the clients saw
//! is linearizable.

#![allow(
    clippy::expect_used,
    reason = "a refusal that does not come fails its test"
)]

mod archive;
mod backup;
mod clocks;
mod disks;
mod drain;
mod fairness;
mod files;
mod kills;
mod losses;
mod network;
mod pauses;
mod races;
mod restarts;
mod same;
mod secrets;
mod story;
mod webhooks;
mod workers;
