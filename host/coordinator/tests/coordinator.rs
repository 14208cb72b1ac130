//! A coordinator through its public face: proposals, restarts, workers and their results; and groups
//! of them over real connections.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "coordinator/completions.rs"]
mod completions;
#[path = "coordinator/damage.rs"]
mod damage;
#[path = "coordinator/elections.rs"]
mod elections;
#[path = "coordinator/failing.rs"]
mod failing;
#[path = "coordinator/fairness.rs"]
mod fairness;
#[path = "coordinator/group.rs"]
mod group;
#[path = "coordinator/kill.rs"]
mod kill;
#[path = "coordinator/kit.rs"]
mod kit;
#[path = "coordinator/leaders.rs"]
mod leaders;
#[path = "coordinator/leases.rs"]
mod leases;
#[path = "coordinator/membership.rs"]
mod membership;
#[path = "coordinator/restarts.rs"]
mod restarts;
#[path = "coordinator/waiting.rs"]
mod waiting;
#[path = "coordinator/wire.rs"]
mod wire;
#[path = "coordinator/workers.rs"]
mod workers;
