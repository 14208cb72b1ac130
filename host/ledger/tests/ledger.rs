//! The ledger through its public face: stories, refusals, plans and invariants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "ledger/attempts.rs"]
mod attempts;
#[path = "ledger/charges.rs"]
mod charges;
#[path = "ledger/circuits.rs"]
mod circuits;
#[path = "ledger/codec.rs"]
mod codec;
#[path = "ledger/deadlines.rs"]
mod deadlines;
#[path = "ledger/explain.rs"]
mod explain;
#[path = "ledger/ids.rs"]
mod ids;
#[path = "ledger/invariants.rs"]
mod invariants;
#[path = "ledger/kit.rs"]
mod kit;
#[path = "ledger/log.rs"]
mod log;
#[path = "ledger/plan.rs"]
mod plan;
#[path = "ledger/plugins.rs"]
mod plugins;
#[path = "ledger/room.rs"]
mod room;
#[path = "ledger/schedule.rs"]
mod schedule;
#[path = "ledger/steady.rs"]
mod steady;
#[path = "ledger/tasks.rs"]
mod tasks;
#[path = "ledger/tenants.rs"]
mod tenants;
#[path = "ledger/trail.rs"]
mod trail;
#[path = "ledger/trust.rs"]
mod trust;
#[path = "ledger/verifying_keys.rs"]
mod verifying_keys;
#[path = "ledger/webhooks.rs"]
mod webhooks;
