//! What holds in every group on a simulated network, whatever goes wrong: one invariant a file.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "simnet/acknowledged.rs"]
mod acknowledged;
#[path = "simnet/catch_up.rs"]
mod catch_up;
#[path = "simnet/committed.rs"]
mod committed;
#[path = "simnet/digests.rs"]
mod digests;
#[path = "simnet/every.rs"]
mod every;
#[path = "simnet/forgetful.rs"]
mod forgetful;
#[path = "simnet/leaders.rs"]
mod leaders;
#[path = "simnet/same.rs"]
mod same;
