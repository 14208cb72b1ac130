//! First-party plugin `range`: a committed value lies between two public bounds.
//!
//! - [`RangeCircuit`] is the circuit, an ordinary `halo2_proofs` one.
//! - [`Range`] is the plugin around it.
//! - [`commitment`] computes the commitment outside a circuit.

mod circuit;
mod limits;
mod plugin;

pub use circuit::{Opening, RangeCircuit, RangeConfig, commitment};
pub use limits::{BITS_DEFAULT, BITS_MAX};
pub use plugin::{Input, Params, Range, Whole};
