//! The gateway on real sockets, before a platform in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

#[path = "http/access.rs"]
mod access;
#[path = "http/batches.rs"]
mod batches;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/checks.rs"]
mod checks;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/console.rs"]
mod console;
#[path = "http/contract.rs"]
mod contract;
#[path = "http/events.rs"]
mod events;
#[path = "http/floods.rs"]
mod floods;
#[path = "http/frames.rs"]
mod frames;
#[path = "http/grpc.rs"]
mod grpc;
#[path = "http/heads.rs"]
mod heads;
#[path = "http/house.rs"]
mod house;
#[path = "http/log.rs"]
mod log;
#[path = "http/openapi.rs"]
mod openapi;
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
