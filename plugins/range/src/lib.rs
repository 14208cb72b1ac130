//! First-party plugin `range`: a committed value lies between two public bounds.
//!
//! - [`RangeCircuit`] is the circuit, an ordinary `halo2_proofs` one.
//! - [`commitment`] computes the commitment outside a circuit.

mod circuit;

pub use circuit::{Opening, RangeCircuit, RangeConfig, commitment};
