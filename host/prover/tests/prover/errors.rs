//! What the prover refuses before and while it proves.

use aureole_ir::{CheckedCircuit, Limits, Witness};
use aureole_prover::{Error, Fault};

use crate::{
    case::{Case, backend, recorded, witness},
    circuits::{lookups::Lookups, series::Series},
};

fn refused(circuit: &CheckedCircuit, witness: &Witness, code: &str) {
    let error = backend().prove(circuit, witness).unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert_eq!(error.code(), code);
    // The check says the same in the form of a failure.
    let unsatisfied = aureole_prover::check(circuit, witness).unwrap_err();
    match &unsatisfied.failures[0].fault {
        Fault::Malformed { code: found, .. } => assert_eq!(found, code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_witness_of_another_shape_is_refused() {
    let circuit = recorded::<Series<5>>();
    let mut witness = witness::<Series<5>>(&circuit);
    witness.advice_rows.push(0);
    refused(&circuit, &witness, "witness.shape");
}

#[test]
fn a_value_above_the_modulus_is_refused() {
    let circuit = recorded::<Series<5>>();
    let mut witness = witness::<Series<5>>(&circuit);
    witness.advice_values[..32].copy_from_slice(&[0xff; 32]);
    refused(&circuit, &witness, "witness.field_non_canonical");
}

#[test]
fn missing_and_trailing_public_inputs_are_refused() {
    let circuit = recorded::<Series<5>>();
    let good = witness::<Series<5>>(&circuit);
    let mut witness = good.clone();
    witness.public_inputs.clear();
    refused(&circuit, &witness, "public_inputs.length");
    let mut witness = good;
    witness.public_inputs.extend([0; 32]);
    refused(&circuit, &witness, "public_inputs.length");
}

#[test]
fn a_lookup_outside_its_table_is_halo2s_own_error() {
    let circuit = recorded::<Lookups>();
    let mut witness = witness::<Lookups>(&circuit);
    witness.advice_values[0] ^= 1;
    let error = backend().prove(&circuit, &witness).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Halo2 {
                during: "create_proof",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), "prover.refused");
}

#[test]
fn k_above_what_parameters_are_made_for_is_refused() {
    let public_inputs = Series::<5>::public_inputs();
    let k = aureole_sdk::K::Fixed(19);
    let circuit = aureole_sdk::record::circuit(&Series::<5>::empty(), k, public_inputs).unwrap();
    let limits = Limits {
        k_max: 20,
        ..Limits::default()
    };
    let circuit = circuit.check(&limits).unwrap();
    let error = backend().verifying(&circuit).unwrap_err();
    assert!(matches!(error, Error::K { k: 19, .. }), "{error}");
}
