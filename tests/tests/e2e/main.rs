//! Stories of one node, end to end: the real binary, real plugins, real proofs.
//!
//! One file a story; each starts its own node unless it neither stops it nor counts what it holds.

#![allow(
    clippy::expect_used,
    reason = "a refusal that does not come fails its test"
)]

mod batches;
mod cancel;
mod cli;
mod cli_tasks;
mod clients;
mod console;
mod crash;
mod cubic;
mod deadlines;
mod faithful;
mod first_proof;
mod gateway;
mod keys;
mod metrics;
mod openapi;
mod privacy;
mod receipts;
mod refusals;
mod see;
mod services;
mod shutdown;
mod tenants;
mod tokens;
mod top;
mod webhooks;
