//! The plugin: JSON in, circuit out.

use std::fmt;

use aureole_sdk::{Plugin, Problem, PublicInput, ir::FieldElement};
use pasta_curves::Fp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    circuit::{MerkleCircuit, Opening, Shape},
    limits::DEPTH_DEFAULT,
    tree::{self, TreeError, leaf_halves},
};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct Merkle;

/// Which circuit: how deep the tree is, and what a proof shows beside its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Merkle parameters")]
pub struct Params {
    /// Levels above the leaves: the tree has room for 2^depth leaves. Proofs of one depth do not
    /// verify for another.
    #[serde(default = "default_depth")]
    #[schemars(range(min = 1, max = 32))]
    pub depth: u32,
    /// Whether the leaf is a public input: two field elements, its first and its last 16 bytes
    /// read big-endian.
    #[serde(default)]
    pub public_leaf: bool,
    /// Whether the leaf's index is a public input.
    #[serde(default)]
    pub public_index: bool,
}

/// What one proof is made from.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Merkle input")]
pub struct Input {
    /// The leaves from the left, at most 2^depth of them: any 32 bytes, each `0x` and 64 hex
    /// digits. Positions after the last one are empty.
    #[schemars(
        length(min = 1, max = 65_536),
        inner(regex(pattern = "^0x[0-9a-fA-F]{64}$"))
    )]
    pub leaves: Vec<String>,
    /// Which leaf the proof is about, counted from 0; below the number of leaves.
    #[schemars(range(min = 0, max = 65_535))]
    pub leaf_index: u64,
}

impl Plugin for Merkle {
    const NAME: &'static str = "merkle";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Proves that a 32-byte leaf stands in a Poseidon Merkle tree.";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] = &[
        ("root", "root of the tree"),
        (
            "leaf",
            "first and last 16 bytes of the leaf, read big-endian (with public_leaf)",
        ),
        (
            "index",
            "position of the leaf, counted from 0 (with public_index)",
        ),
    ];

    type Params = Params;
    type Input = Input;
    type Circuit = MerkleCircuit;

    fn default_params() -> Option<Params> {
        Some(Params {
            depth: DEPTH_DEFAULT,
            public_leaf: false,
            public_index: false,
        })
    }

    fn validate(params: &Params) -> Result<(), Problem> {
        tree::check_depth(params.depth).map_err(problem)
    }

    fn public_inputs(params: &Params) -> Vec<PublicInput> {
        [
            ("root", 1, true),
            ("leaf", 2, params.public_leaf),
            ("index", 1, params.public_index),
        ]
        .into_iter()
        .filter(|(_, _, is_public)| *is_public)
        .map(|(name, rows, _)| PublicInput {
            name: name.to_owned(),
            column: 0,
            rows,
        })
        .collect()
    }

    fn shape(params: &Params) -> MerkleCircuit {
        MerkleCircuit::new(shape(params))
    }

    fn assign(params: &Params, input: Input) -> Result<(MerkleCircuit, Vec<Fp>), Problem> {
        let leaves = input.leaves.iter().enumerate();
        let leaves: Vec<[u8; 32]> = leaves
            .map(|(index, leaf)| leaf_bytes(index, leaf))
            .collect::<Result<_, _>>()?;
        // An index beyond 32 bits is beyond every tree, and refused as such.
        let index = u32::try_from(input.leaf_index).unwrap_or(u32::MAX);
        let path = tree::path(&leaves, params.depth, index).map_err(problem)?;
        let leaf = usize::try_from(index)
            .ok()
            .and_then(|index| leaves.get(index))
            .ok_or_else(|| {
                problem(TreeError::Index {
                    leaves: leaves.len(),
                })
            })?;

        let opening = Opening {
            halves: leaf_halves(leaf),
            index,
            siblings: path.siblings,
        };
        let public = shape(params).public_values(path.root, opening.halves, index);
        Ok((Self::shape(params).with_opening(&opening), public))
    }
}

aureole_sdk::export!(Merkle);

// An input is private: its debug form shows none of it.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("leaves", &self.leaves.len())
            .finish_non_exhaustive()
    }
}

fn default_depth() -> u32 {
    DEPTH_DEFAULT
}

fn shape(params: &Params) -> Shape {
    Shape {
        depth: params.depth,
        public_leaf: params.public_leaf,
        public_index: params.public_index,
    }
}

/// Reads a leaf: any 32 bytes, so it is not a field element, only written like one.
fn leaf_bytes(index: usize, text: &str) -> Result<[u8; 32], Problem> {
    let mut bytes = FieldElement::from_hex(text)
        .ok_or_else(|| {
            let path = format!("/leaves/{index}");
            Problem::new(path, "must be 0x and exactly 64 hex digits")
        })?
        .0;
    bytes.reverse();
    Ok(bytes)
}

/// Says where in parameters or input a tree's problem lies.
fn problem(error: TreeError) -> Problem {
    let path = match error {
        TreeError::Depth { .. } => "/depth",
        TreeError::NoLeaves | TreeError::TooManyLeaves { .. } => "/leaves",
        TreeError::Index { .. } => "/leaf_index",
    };
    Problem::new(path, error.to_string())
}
