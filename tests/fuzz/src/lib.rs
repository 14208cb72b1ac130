//! Fuzz targets: each reads bytes that anybody may have sent, and asserts what must hold for all.
//!
//! `cargo fuzz` calls them through `libfuzzer/`, which is no member of the workspace; the smoke
//! tests here call them with the corpus and with seeded changes to it, for some seconds each.
//! A target that panics has found a bug, in the reader or in what this page claims of it.

mod mutation;
mod targets;

pub use mutation::Mutator;
pub use targets::{TARGETS, Target, annotations, circuit, component, proof, prover, witness};
