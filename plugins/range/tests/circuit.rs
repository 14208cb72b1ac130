//! The circuit under halo2's mock prover: what passes, what fails, and where.
//!
//! The witnesses here are made by hand, past the checks of the plugin: they are what a dishonest
//! prover would try.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::{tampered_cells, tampered_public_inputs};
use aureole_range::{Opening, RangeCircuit, commitment};
use halo2_proofs::dev::{MockProver, VerifyFailure};
use pasta_curves::Fp;

const K: u32 = 7;

fn opening(value: u64, lo: u64, hi: u64) -> Opening {
    Opening {
        value: Fp::from(value),
        blinding: Fp::from(0x5eed),
        lo: Fp::from(lo),
        hi: Fp::from(hi),
    }
}

fn public(value: u64, lo: u64, hi: u64) -> Vec<Vec<Fp>> {
    let commitment = commitment(value.into(), Fp::from(0x5eed));
    vec![vec![commitment, Fp::from(lo), Fp::from(hi)]]
}

fn verify(bits: u32, opening: Opening, public: Vec<Vec<Fp>>) -> Result<(), Vec<VerifyFailure>> {
    let circuit = RangeCircuit::new(bits).with_opening(opening);
    MockProver::run(K, &circuit, public).unwrap().verify()
}

fn holds(bits: u32, value: u64, lo: u64, hi: u64) -> bool {
    verify(bits, opening(value, lo, hi), public(value, lo, hi)).is_ok()
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
fn a_value_between_its_bounds_passes() {
    assert!(holds(64, 30, 18, 120));
}

#[test]
fn both_bounds_belong_to_the_range() {
    assert!(holds(64, 18, 18, 120));
    assert!(holds(64, 120, 18, 120));
    assert!(holds(64, 7, 7, 7));
}

#[test]
fn a_value_one_below_or_above_fails_in_the_range_check() {
    for value in [17, 121] {
        let result = verify(64, opening(value, 18, 120), public(value, 18, 120));
        assert!(failed(result).contains("permutation"));
    }
}

#[test]
fn every_width_accepts_its_largest_difference_and_no_more() {
    for bits in 1..=63 {
        let room = (1_u64 << bits) - 1;
        assert!(
            holds(bits, 5 + room, 5, 5 + room),
            "{bits} bits: {room} above lo"
        );
        assert!(holds(bits, 5, 5, 5 + room), "{bits} bits: {room} below hi");
        assert!(
            !holds(bits, 6 + room, 5, 6 + room),
            "{bits} bits: {} above lo",
            room + 1
        );
        assert!(
            !holds(bits, 5, 5, 6 + room),
            "{bits} bits: {} below hi",
            room + 1
        );
    }
}

#[test]
fn the_widest_circuit_checks_128_bits_and_the_one_before_127() {
    for (bits, room) in [(128, u128::MAX), (127, u128::MAX >> 1)] {
        use ff::PrimeField;
        let full = |value: Fp, hi: Fp| Opening {
            value,
            blinding: Fp::from(1),
            lo: Fp::from(0),
            hi,
        };
        let (inside, outside) = (Fp::from_u128(room), Fp::from_u128(room) + Fp::from(1));
        let digest = commitment(room, Fp::from(1));
        let public = vec![vec![digest, Fp::from(0), inside]];
        assert_eq!(verify(bits, full(inside, inside), public), Ok(()));
        assert!(
            verify(
                bits,
                full(outside, outside),
                vec![vec![digest, Fp::from(0), outside]]
            )
            .is_err()
        );
    }
}

#[test]
fn bounds_in_the_wrong_order_leave_no_value() {
    for value in [3, 4, 5] {
        assert!(!holds(64, value, 5, 3));
    }
}

#[test]
fn other_public_bounds_than_the_witness_has_fail_in_the_bounds_gate() {
    let result = verify(64, opening(30, 18, 120), public(30, 31, 120));
    assert!(failed(result).contains("value is lo and the part above"));
    let result = verify(64, opening(30, 18, 120), public(30, 18, 29));
    assert!(failed(result).contains("hi is value and the part below"));
}

#[test]
fn another_commitment_fails_where_it_is_bound() {
    let result = verify(64, opening(30, 18, 120), public(31, 18, 120));
    assert_eq!(
        failed(result).lines().find(|line| *line != "permutation"),
        None
    );
}

#[test]
fn no_advice_cell_can_be_changed_alone() {
    for bits in [1, 7, 8] {
        let circuit = RangeCircuit::new(bits).with_opening(opening(19, 19, 20));
        let unnoticed = tampered_cells(K, circuit, &public(19, 19, 20)).unwrap();
        assert_eq!(unnoticed, [], "{bits} bits");
    }
}

#[test]
fn no_public_input_can_be_changed() {
    let circuit = RangeCircuit::new(8).with_opening(opening(19, 18, 20));
    let unnoticed = tampered_public_inputs(K, &circuit, &public(19, 18, 20)).unwrap();
    assert_eq!(unnoticed, []);
}

#[test]
fn thirty_two_bits_fit_in_64_rows_and_every_width_in_128() {
    let rows = |k: u32, bits: u32| {
        let circuit = RangeCircuit::new(bits).with_opening(opening(19, 18, 20));
        MockProver::run(k, &circuit, public(19, 18, 20)).is_ok()
    };
    assert!(rows(6, 32) && !rows(6, 34));
    assert!((1..=128).all(|bits| rows(7, bits)));
}
