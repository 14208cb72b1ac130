//! First-party plugin `preimage`: knowledge of a message with a public Poseidon digest.
//!
//! The smallest worked example: copy it to begin a plugin of your own.
//!
//! - [`PreimageCircuit`] is the circuit, an ordinary `halo2_proofs` one.
//! - [`Preimage`] is the plugin around it.
//! - [`digest`] computes the digest outside a circuit.

mod circuit;
mod plugin;

pub use circuit::{MESSAGE_ELEMENTS, PreimageCircuit, PreimageConfig, digest};
pub use plugin::{Input, Params, Preimage};
