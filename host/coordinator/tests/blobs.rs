//! Bytes and keys among members: real depots and vaults in temporary folders, real loopback TCP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "blobs/collect.rs"]
mod collect;
#[path = "blobs/keys.rs"]
mod keys;
#[path = "blobs/log.rs"]
mod log;
#[path = "blobs/puts.rs"]
mod puts;
#[path = "blobs/references.rs"]
mod references;
#[path = "blobs/repair.rs"]
mod repair;
#[path = "blobs/town.rs"]
mod town;
#[path = "blobs/wire.rs"]
mod wire;
