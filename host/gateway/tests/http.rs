//! The gateway on real sockets, before a platform in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

#[path = "http/access.rs"]
mod access;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/checks.rs"]
mod checks;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/heads.rs"]
mod heads;
#[path = "http/house.rs"]
mod house;
#[path = "http/log.rs"]
mod log;
#[path = "http/plugins.rs"]
mod plugins;
#[path = "http/proofs.rs"]
mod proofs;
#[path = "http/tasks.rs"]
mod tasks;
#[path = "http/webhooks.rs"]
mod webhooks;
#[path = "http/wire.rs"]
mod wire;
