//! Fuzz targets: each reads bytes that anybody may have sent, and asserts what must hold for all.
//!
//! `cargo fuzz` calls them through `libfuzzer/`, which is no member of the workspace; the smoke
//! tests here call them with the corpus and with seeded changes to it, for some seconds each.
//! A target that panics has found a bug, in the reader or in what this page claims of it.
//!
//! Those that need halo2 are behind the feature `prover`, so that the others are built with a
//! fuzzer's instrumentation in seconds.

mod decoders;
mod mutation;
#[cfg(feature = "prover")]
mod proofs;

pub use decoders::{annotations, circuit, component};
pub use mutation::Mutator;
#[cfg(feature = "prover")]
pub use proofs::{TARGETS, Target, proof, prover, witness};
