//! A coordinator through its public face: proposals, restarts, workers and their results.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "coordinator/completions.rs"]
mod completions;
#[path = "coordinator/kill.rs"]
mod kill;
#[path = "coordinator/kit.rs"]
mod kit;
#[path = "coordinator/leases.rs"]
mod leases;
#[path = "coordinator/restarts.rs"]
mod restarts;
#[path = "coordinator/waiting.rs"]
mod waiting;
#[path = "coordinator/wire.rs"]
mod wire;
