//! The circuit under halo2's mock prover: what passes, what fails, and where.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::{tampered_cells, tampered_public_inputs};
use aureole_preimage::{PreimageCircuit, digest};
use halo2_proofs::dev::{MockProver, VerifyFailure};
use pasta_curves::Fp;

const K: u32 = 6;

fn message() -> [Fp; 2] {
    [Fp::from(6), Fp::from(42)]
}

#[test]
fn a_message_passes_under_its_own_digest() {
    let circuit = PreimageCircuit::new(message());
    let prover = MockProver::run(K, &circuit, vec![vec![digest(message())]]).unwrap();
    assert_eq!(prover.verify(), Ok(()));
}

#[test]
fn another_message_fails_where_the_digest_is_bound() {
    let circuit = PreimageCircuit::new([Fp::from(6), Fp::from(43)]);
    let prover = MockProver::run(K, &circuit, vec![vec![digest(message())]]).unwrap();
    let failures = prover.verify().unwrap_err();
    assert!(
        failures
            .iter()
            .all(|failure| matches!(failure, VerifyFailure::Permutation { .. })),
        "{failures:?}"
    );
}

#[test]
fn the_order_of_the_message_matters() {
    let [first, second] = message();
    assert_ne!(digest([first, second]), digest([second, first]));
}

#[test]
fn no_advice_cell_can_be_changed_alone() {
    let public = [vec![digest(message())]];
    let unnoticed = tampered_cells(K, PreimageCircuit::new(message()), &public).unwrap();
    assert_eq!(unnoticed, []);
}

#[test]
fn no_public_input_can_be_changed() {
    let public = [vec![digest(message())]];
    let circuit = PreimageCircuit::new(message());
    let unnoticed = tampered_public_inputs(K, &circuit, &public).unwrap();
    assert_eq!(unnoticed, []);
}
