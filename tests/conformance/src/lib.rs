//! Stock halo2 on one side, the platform on the other, for any circuit.
//!
//! - [`Native`] is stock halo2 on the author's own circuit: keys, proofs, verdicts.
//! - [`witness`] collects an author's witness as `create_proof` would, without our recorder.
//! - [`fixtures`] is the fixtures' component, compiled and loaded as a node loads it.
//!
//! `tests/conformance` compares the two for each fixture, `tests/random` for circuits that it
//! makes up, and `src/bin/witness` is a bench.

mod native;
mod place;
mod sandbox;
mod witness;

pub use native::{Native, backend};
pub use place::params_dir;
pub use sandbox::{fixtures, loaded, plugin};
pub use witness::witness;
