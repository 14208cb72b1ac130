//! The log's mathematics through its public face: known vectors, every small size, every refusal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "receipts/audits.rs"]
mod audits;
#[path = "receipts/checkpoints.rs"]
mod checkpoints;
#[path = "receipts/documents.rs"]
mod documents;
#[path = "receipts/keys.rs"]
mod keys;
#[path = "receipts/kit.rs"]
mod kit;
#[path = "receipts/leaves.rs"]
mod leaves;
#[path = "receipts/notes.rs"]
mod notes;
#[path = "receipts/proofs.rs"]
mod proofs;
#[path = "receipts/tiles.rs"]
mod tiles;
#[path = "receipts/tree.rs"]
mod tree;
#[path = "receipts/vectors.rs"]
mod vectors;
#[path = "receipts/writer.rs"]
mod writer;
