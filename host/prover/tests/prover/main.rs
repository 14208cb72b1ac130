//! The prover against stock halo2: same keys, exchangeable proofs, same verdicts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests state facts; a broken one should stop right there"
)]

mod batch;
mod caches;
mod case;
mod circuits;
mod conformance;
mod errors;
mod failures;
mod first_party;
mod mock;
mod parameters;
mod pools;
mod probe;
mod speed;
