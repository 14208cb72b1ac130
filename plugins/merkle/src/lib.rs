//! First-party plugin `merkle`: a leaf of 32 bytes stands in a Merkle tree.
//!
//! - [`MerkleCircuit`] is the circuit, an ordinary `halo2_proofs` one.
//! - [`Merkle`] is the plugin around it.
//! - [`root`], [`path`] and the nodes they are made of are the tree outside a circuit, for
//!   applications and tests; `tree.rs` is the definition to implement elsewhere.

mod circuit;
mod limits;
mod plugin;
mod tree;

pub use circuit::{MerkleCircuit, MerkleConfig, Opening, Shape};
pub use limits::{DEPTH_DEFAULT, DEPTH_MAX, LEAVES_MAX};
pub use plugin::{Input, Merkle, Params};
pub use tree::{
    LEAF_TAG, Path, TreeError, empty_node, inner_node, leaf_halves, leaf_node, path, root,
};
