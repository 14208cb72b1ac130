//! The tree outside a circuit: how leaves become a root, and the path to one of them.
//!
//! This file is the definition that an application implements to compute roots itself:
//!
//! - All hashes are Poseidon, `P128Pow5T3` over the Pallas base field, with the constant input
//!   length in the capacity element, as in Zcash's Orchard.
//! - A leaf is 32 bytes, any value. Its two halves of 16 bytes, read big-endian, are `first` and
//!   `last`. Its node is `H3(LEAF_TAG, first, last)`.
//! - An inner node is `H2(left, right)`. Leaves and inner nodes differ in input length and in
//!   the tag, so neither can pass for the other.
//! - A position without a leaf has the node `0`, and the subtree over two empty ones is
//!   `H2(empty, empty)` as everywhere. No leaf with the node 0 can be found: that would be a
//!   preimage of H3.
//! - Leaves fill the tree from the left; a leaf's index is its position; bit `i` of the index
//!   says on which side the path's node stands at height `i` (1: right).

use ff::{Field, PrimeField};
use halo2_gadgets::poseidon::primitives::{self as poseidon, ConstantLength, P128Pow5T3};
use pasta_curves::Fp;

use crate::limits::{DEPTH_MAX, LEAVES_MAX};

pub(crate) const WIDTH: usize = 3;
pub(crate) const RATE: usize = 2;

/// Elements hashed into a leaf's node: tag and two halves.
pub(crate) const LEAF_ELEMENTS: usize = 3;

/// Elements hashed into an inner node.
pub(crate) const INNER_ELEMENTS: usize = 2;

/// The 16 ASCII bytes `aureole/leaf/v1.`, read big-endian: the first element of a leaf's hash.
pub const LEAF_TAG: u128 = u128::from_be_bytes(*b"aureole/leaf/v1.");

/// What a prover needs to know of a tree to prove one leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The tree's root.
    pub root: Fp,
    /// The other child at each height, from the leaves up; as many as the tree is deep.
    pub siblings: Vec<Fp>,
}

/// Why there is no such tree or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// No circuit is built for this depth.
    #[error("must be between 1 and {DEPTH_MAX}, not {depth}")]
    Depth {
        /// The depth asked for.
        depth: u32,
    },
    /// A tree needs a leaf.
    #[error("must hold at least one leaf")]
    NoLeaves,
    /// The leaves do not fit.
    #[error("must hold at most {limit} leaves for depth {depth}, not {count}")]
    TooManyLeaves {
        /// How many there are.
        count: usize,
        /// How many there may be: 2^depth, and [`LEAVES_MAX`] at most.
        limit: usize,
        /// The tree's depth.
        depth: u32,
    },
    /// No leaf stands at that index.
    #[error("must be below the number of leaves, {leaves}")]
    Index {
        /// How many leaves there are.
        leaves: usize,
    },
}

/// The two halves of a leaf as field elements: what the public input `leaf` holds.
#[must_use]
pub fn leaf_halves(leaf: &[u8; 32]) -> [Fp; 2] {
    let (first, last) = leaf.split_at(16);
    [first, last].map(|half| {
        let integer = half
            .iter()
            .fold(0_u128, |integer, byte| integer << 8 | u128::from(*byte));
        Fp::from_u128(integer)
    })
}

/// The node of a leaf.
#[must_use]
pub fn leaf_node(leaf: &[u8; 32]) -> Fp {
    let [first, last] = leaf_halves(leaf);
    poseidon::Hash::<_, P128Pow5T3, ConstantLength<LEAF_ELEMENTS>, WIDTH, RATE>::init().hash([
        Fp::from_u128(LEAF_TAG),
        first,
        last,
    ])
}

/// The node over two others.
#[must_use]
pub fn inner_node(left: Fp, right: Fp) -> Fp {
    poseidon::Hash::<_, P128Pow5T3, ConstantLength<INNER_ELEMENTS>, WIDTH, RATE>::init()
        .hash([left, right])
}

/// The node of a position without a leaf.
#[must_use]
pub fn empty_node() -> Fp {
    Fp::ZERO
}

/// The root of a tree of `depth` over `leaves`.
///
/// # Errors
///
/// [`TreeError`]: the depth is not 1 to [`DEPTH_MAX`], or there is no leaf, or more than 2^depth
/// or [`LEAVES_MAX`] of them.
pub fn root(leaves: &[[u8; 32]], depth: u32) -> Result<Fp, TreeError> {
    path(leaves, depth, 0).map(|path| path.root)
}

/// The root and the path to the leaf at `index`.
///
/// # Errors
///
/// As [`root`], and [`TreeError::Index`] if no leaf has that index.
pub fn path(leaves: &[[u8; 32]], depth: u32, index: u32) -> Result<Path, TreeError> {
    check_depth(depth)?;
    check_leaves(leaves.len(), depth)?;
    let mut index = usize::try_from(index).unwrap_or(usize::MAX);
    if index >= leaves.len() {
        let leaves = leaves.len();
        return Err(TreeError::Index { leaves });
    }

    let mut nodes: Vec<Fp> = leaves.iter().map(leaf_node).collect();
    let mut empty = empty_node();
    let mut siblings = Vec::new();
    for _ in 0..depth {
        siblings.push(nodes.get(index ^ 1).copied().unwrap_or(empty));
        nodes = nodes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => inner_node(*left, *right),
                [left, ..] => inner_node(*left, empty),
                [] => empty,
            })
            .collect();
        empty = inner_node(empty, empty);
        index >>= 1;
    }
    let root = nodes.first().copied().unwrap_or(empty);
    Ok(Path { root, siblings })
}

/// Refuses a depth that no circuit is built for.
pub(crate) fn check_depth(depth: u32) -> Result<(), TreeError> {
    if (1..=DEPTH_MAX).contains(&depth) {
        return Ok(());
    }
    Err(TreeError::Depth { depth })
}

fn check_leaves(count: usize, depth: u32) -> Result<(), TreeError> {
    let room = 1_usize.checked_shl(depth).unwrap_or(LEAVES_MAX);
    let limit = room.min(LEAVES_MAX);
    match count {
        0 => Err(TreeError::NoLeaves),
        count if count > limit => Err(TreeError::TooManyLeaves {
            count,
            limit,
            depth,
        }),
        _ => Ok(()),
    }
}
