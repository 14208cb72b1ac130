//! The circuit under halo2's mock prover: what passes, what fails, and where.
//!
//! The dishonest witnesses are made by hand, past the checks of the plugin.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::{tampered_cells, tampered_public_inputs};
use aureole_merkle::{MerkleCircuit, Opening, Shape, inner_node, leaf_halves, path, root};
use ff::{Field, PrimeField};
use halo2_proofs::dev::{MockProver, VerifyFailure};
use pasta_curves::Fp;

/// Two levels fit in 2^8 rows.
const K: u32 = 8;

const EVERYTHING_PUBLIC: Shape = Shape {
    depth: 2,
    public_leaf: true,
    public_index: true,
};

fn shape(depth: u32) -> Shape {
    Shape {
        depth,
        public_leaf: false,
        public_index: false,
    }
}

/// `count` leaves, all different; the last one is beyond the field's modulus.
fn leaves(count: u8) -> Vec<[u8; 32]> {
    (1..=count)
        .map(|i| [if i == count { 0xff } else { i.wrapping_mul(37) }; 32])
        .collect()
}

fn opening(leaves: &[[u8; 32]], depth: u32, index: u32) -> (Opening, Fp) {
    let path = path(leaves, depth, index).unwrap();
    let opening = Opening {
        halves: leaf_halves(&leaves[index as usize]),
        index,
        siblings: path.siblings,
    };
    (opening, path.root)
}

fn verify(k: u32, shape: Shape, opening: &Opening, root: Fp) -> Result<(), Vec<VerifyFailure>> {
    let circuit = MerkleCircuit::new(shape).with_opening(opening);
    let public = shape.public_values(root, opening.halves, opening.index);
    MockProver::run(k, &circuit, vec![public]).unwrap().verify()
}

/// Names of the constraints that failed, without their values.
fn failed(result: Result<(), Vec<VerifyFailure>>) -> String {
    let failures = result.unwrap_err();
    let lines = failures.iter().map(|failure| match failure {
        VerifyFailure::ConstraintNotSatisfied { constraint, .. } => constraint.to_string(),
        VerifyFailure::Permutation { .. } => "permutation".to_owned(),
        other => panic!("unexpected failure: {other}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_leaf_of_every_small_tree_passes() {
    for count in 1..=4 {
        let leaves = leaves(count);
        for index in 0..u32::from(count) {
            let (opening, root) = opening(&leaves, 2, index);
            assert_eq!(verify(K, EVERYTHING_PUBLIC, &opening, root), Ok(()));
        }
    }
}

#[test]
fn the_depth_of_the_default_circuit_fits_in_1024_rows_and_the_deepest_in_2048() {
    for (depth, k) in [(1, 8), (16, 10), (20, 10), (32, 11)] {
        let (opening, root) = opening(&leaves(2), depth, 1);
        assert_eq!(
            verify(k, shape(depth), &opening, root),
            Ok(()),
            "depth {depth}"
        );
        assert!(
            MockProver::run(k - 1, &MerkleCircuit::new(shape(depth)), vec![vec![root]]).is_err(),
            "depth {depth} would fit in half the rows"
        );
    }
}

#[test]
fn a_leaf_that_is_not_in_the_tree_fails_at_the_root() {
    let (mut opening, root) = opening(&leaves(4), 2, 1);
    opening.halves[1] += Fp::ONE;
    assert_eq!(
        failed(verify(K, shape(2), &opening, root)).lines().next(),
        Some("permutation")
    );
}

#[test]
fn another_index_fails_at_the_root() {
    let (mut opening, root) = opening(&leaves(4), 2, 1);
    for index in [0, 2, 3] {
        opening.index = index;
        assert!(
            verify(K, shape(2), &opening, root).is_err(),
            "index {index}"
        );
    }
}

#[test]
fn an_index_with_a_bit_above_the_depth_fails_at_the_end_of_its_sum() {
    let (mut opening, root) = opening(&leaves(4), 2, 1);
    opening.index |= 1 << 2;
    let failures = verify(K, shape(2), &opening, root).unwrap_err();
    assert!(
        failures
            .iter()
            .all(|f| matches!(f, VerifyFailure::Permutation { .. })),
        "{failures:?}"
    );
}

#[test]
fn a_half_of_129_bits_fails_though_its_hash_is_right() {
    let (mut opening, _) = opening(&leaves(2), 1, 0);
    opening.halves[0] = Fp::from_u128(u128::MAX) + Fp::ONE;
    opening.siblings = vec![Fp::ZERO];
    let tag = Fp::from_u128(aureole_merkle::LEAF_TAG);
    let node = {
        use halo2_gadgets::poseidon::primitives::{ConstantLength, Hash, P128Pow5T3};
        Hash::<_, P128Pow5T3, ConstantLength<3>, 3, 2>::init().hash([
            tag,
            opening.halves[0],
            opening.halves[1],
        ])
    };
    let root = inner_node(node, Fp::ZERO);
    assert_eq!(
        failed(verify(K, shape(1), &opening, root)),
        "permutation\npermutation"
    );
}

#[test]
fn an_inner_node_cannot_pass_for_a_leaf() {
    // The tree over four leaves, seen one level up: its inner nodes are no 32-byte leaves, and
    // even where they were, a leaf is hashed with a tag and another length.
    let leaves = leaves(4);
    let (opening, root) = opening(&leaves, 2, 0);
    let [left, right] = [opening.halves[0], opening.halves[1]];
    let as_leaf = Opening {
        halves: [left, right],
        index: 0,
        siblings: opening.siblings[1..].to_vec(),
    };
    assert!(verify(K, shape(1), &as_leaf, root).is_err());
    assert_ne!(
        inner_node(left, right),
        aureole_merkle::leaf_node(&leaves[0])
    );
}

#[test]
fn an_empty_position_has_no_leaf() {
    let leaves = leaves(2);
    let (mut opening, root) = opening(&leaves, 2, 1);
    opening.index = 3;
    opening.halves = [Fp::ZERO; 2];
    opening.siblings = vec![
        Fp::ZERO,
        inner_node(
            aureole_merkle::leaf_node(&leaves[0]),
            aureole_merkle::leaf_node(&leaves[1]),
        ),
    ];
    assert!(verify(K, shape(2), &opening, root).is_err());
}

#[test]
fn no_advice_cell_can_be_changed_alone() {
    // Index 1 stands on the right, then on the left: both sides of the step.
    let (opening, root) = opening(&leaves(4), 2, 1);
    let circuit = MerkleCircuit::new(shape(2)).with_opening(&opening);
    assert_eq!(tampered_cells(K, circuit, &[vec![root]]).unwrap(), []);
}

#[test]
fn no_public_input_can_be_changed() {
    let (opening, root) = opening(&leaves(4), 2, 1);
    let circuit = MerkleCircuit::new(EVERYTHING_PUBLIC).with_opening(&opening);
    let public = EVERYTHING_PUBLIC.public_values(root, opening.halves, 1);
    assert_eq!(tampered_public_inputs(K, &circuit, &[public]).unwrap(), []);
}

#[test]
fn the_root_is_the_same_whatever_leaf_is_proved() {
    let leaves = leaves(5);
    let expected = root(&leaves, 3).unwrap();
    for index in 0..5 {
        assert_eq!(path(&leaves, 3, index).unwrap().root, expected);
    }
}
