//! Plugin `__name__`: knowledge of numbers with a given product.
//!
//! A worked example to be changed into your own:
//! - [`ProductCircuit`] is the circuit, an ordinary `halo2_proofs` one.
//! - [`ProductPlugin`] is the plugin around it: parameters and input as JSON.

mod circuit;
mod plugin;

pub use circuit::{ProductCircuit, ProductConfig};
pub use plugin::{Input, Params, ProductPlugin};
