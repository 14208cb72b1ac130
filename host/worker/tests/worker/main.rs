//! The worker with real child processes: what they do, and how they end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod coordinators;
mod crashes;
mod fixture;
mod leaders;
mod plugins;
mod proofs;
mod prove_loop;
mod scene;
