//! The tree outside a circuit: its definition, fixed by examples that other implementations can
//! be held against.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_merkle::{
    LEAF_TAG, TreeError, empty_node, inner_node, leaf_halves, leaf_node, path, root,
};
use ff::{Field, PrimeField};
use pasta_curves::Fp;

/// Most significant digit first, as in the REST API.
fn hex(element: Fp) -> String {
    let bytes = element.to_repr();
    let digits: String = bytes
        .iter()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("0x{digits}")
}

fn leaf(byte: u8) -> [u8; 32] {
    [byte; 32]
}

// Computed by a second implementation, written from the page at the top of `tree.rs`.

#[test]
fn the_nodes_of_known_leaves_never_change() {
    for (node, known) in [
        (
            Fp::from_u128(LEAF_TAG),
            "0x00000000000000000000000000000000617572656f6c652f6c6561662f76312e",
        ),
        (
            leaf_node(&leaf(0)),
            "0x1d2b87b269c8f28eea54baac0dadfff478d2312f776bbab17357c7580c23b369",
        ),
        (
            leaf_node(&leaf(0xff)),
            "0x0eb34e167ee1e4dce9637fd272e9fdd92fa6e05e8e52d3659d38bdc3e510c33f",
        ),
        (
            inner_node(empty_node(), empty_node()),
            "0x0394521bb77c67f4c7eb0033d30084694dc531bc4ff2c2271ec2c6ce8359517a",
        ),
    ] {
        assert_eq!(hex(node), known);
    }
}

#[test]
fn the_roots_of_known_leaves_never_change() {
    let leaves = [leaf(0), leaf(1), leaf(0xff)];
    for (count, depth, known) in [
        (
            1,
            1,
            "0x27cd8a57ec5bfbaf57430f3688368c35f2f7c7ab608982d57a785025d578c553",
        ),
        (
            3,
            2,
            "0x2ae9c6f16437bf62ad2f460d23cc9decebb296f89cc5cf4d7b5b4a70e19f9854",
        ),
        (
            3,
            16,
            "0x2509a0bf0f73be22ec3456c306ee14804e55b65a038230265533cf8f58091676",
        ),
        (
            3,
            32,
            "0x0cc78b1024d6dab9c2d3ad4be41b33e9cfdd73eadbc686b9e6ae9d4802bb5341",
        ),
    ] {
        let root = root(&leaves[..count], depth).unwrap();
        assert_eq!(hex(root), known, "{count} leaves, depth {depth}");
    }
}

#[test]
fn a_root_is_the_nested_hash_of_its_leaves_and_empty_nodes() {
    let [a, b, c] = [1, 2, 3].map(leaf);
    let right = inner_node(leaf_node(&c), empty_node());
    let expected = inner_node(inner_node(leaf_node(&a), leaf_node(&b)), right);
    assert_eq!(root(&[a, b, c], 2).unwrap(), expected);

    let empty_pair = inner_node(empty_node(), empty_node());
    let expected = inner_node(inner_node(leaf_node(&a), empty_node()), empty_pair);
    assert_eq!(root(&[a], 2).unwrap(), expected);
}

#[test]
fn a_path_leads_from_its_leaf_to_the_root() {
    let leaves: Vec<_> = (0..11).map(leaf).collect();
    for (index, leaf) in (0..).zip(&leaves) {
        let path = path(&leaves, 5, index).unwrap();
        assert_eq!(path.siblings.len(), 5);
        let climb = |(height, node): (u32, Fp), sibling: &Fp| {
            let parent = match (index >> height) & 1_u32 {
                0 => inner_node(node, *sibling),
                _ => inner_node(*sibling, node),
            };
            (height + 1, parent)
        };
        let (_, root) = path.siblings.iter().fold((0_u32, leaf_node(leaf)), climb);
        assert_eq!(root, path.root);
    }
}

#[test]
fn a_leaf_is_its_halves_read_big_endian() {
    let mut bytes = [0; 32];
    bytes[15] = 7;
    bytes[30] = 1;
    assert_eq!(leaf_halves(&bytes), [Fp::from(7), Fp::from(256)]);
    let most = Fp::from_u128(u128::MAX);
    assert_eq!(leaf_halves(&leaf(0xff)), [most, most]);
}

#[test]
fn leaves_equal_modulo_the_field_have_different_nodes() {
    let modulus: [u8; 32] = {
        let mut bytes = (-Fp::ONE).to_repr();
        bytes[0] += 1;
        bytes.reverse();
        bytes
    };
    assert_ne!(leaf_node(&modulus), leaf_node(&leaf(0)));
}

#[test]
fn a_leaf_more_is_another_root_even_if_it_is_zero() {
    let one = root(&[leaf(1)], 4).unwrap();
    assert_ne!(one, root(&[leaf(1), leaf(0)], 4).unwrap());
    assert_ne!(one, root(&[leaf(1)], 5).unwrap());
}

#[test]
fn a_full_tree_has_no_empty_nodes() {
    let leaves: Vec<_> = (0..8).map(leaf).collect();
    assert!(root(&leaves, 3).is_ok());
    let limit = TreeError::TooManyLeaves {
        count: 9,
        limit: 8,
        depth: 3,
    };
    assert_eq!(root(&[leaf(0); 9], 3), Err(limit));
}

#[test]
fn what_is_no_tree_or_no_leaf_is_refused_with_the_limit() {
    assert_eq!(root(&[leaf(0)], 0), Err(TreeError::Depth { depth: 0 }));
    assert_eq!(root(&[leaf(0)], 33), Err(TreeError::Depth { depth: 33 }));
    assert_eq!(root(&[], 1), Err(TreeError::NoLeaves));
    assert_eq!(path(&[leaf(0)], 1, 1), Err(TreeError::Index { leaves: 1 }));
    assert_eq!(
        path(&[leaf(0)], 1, u32::MAX),
        Err(TreeError::Index { leaves: 1 })
    );
    assert_eq!(
        TreeError::Depth { depth: 33 }.to_string(),
        "must be between 1 and 32, not 33"
    );
}
