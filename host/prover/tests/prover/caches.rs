//! Keys stay warm within their budget and are told apart by what they are keys of.

use std::sync::Arc;

use aureole_prover::{Backend, Halo2Ipa};

use crate::{
    case::{params_dir, recorded, witness},
    circuits::{mixed::Mixed, series::Series},
};

#[test]
fn a_key_is_made_once_and_then_warm() {
    let backend = Halo2Ipa::new(params_dir(), 1 << 30);
    let circuit = recorded::<Mixed>();
    let first = backend.proving(&circuit).unwrap();
    assert!(Arc::ptr_eq(&first, &backend.proving(&circuit).unwrap()));
    assert!(Arc::ptr_eq(
        &backend.verifying(&circuit).unwrap(),
        &backend.verifying(&circuit).unwrap()
    ));
    assert_eq!(backend.warm(), [circuit.digest()]);
    assert_eq!(backend.warm_bytes(), first.memory_bytes());
    let facts = backend.keygen(&circuit).unwrap();
    assert_eq!(facts.memory_bytes, first.memory_bytes());
}

#[test]
fn keys_over_the_budget_make_room_and_come_back() {
    let (five, six) = (recorded::<Series<5>>(), recorded::<Series<6>>());
    let bytes = Halo2Ipa::new(params_dir(), 1 << 30)
        .proving(&five)
        .unwrap()
        .memory_bytes();
    let backend = Halo2Ipa::new(params_dir(), bytes + bytes / 2);
    backend.proving(&five).unwrap();
    backend.proving(&six).unwrap();
    assert_eq!(backend.warm(), [six.digest()]);
    let proof = backend.prove(&five, &witness::<Series<5>>(&five)).unwrap();
    assert_eq!(backend.warm(), [five.digest()]);
    assert_eq!(
        proof.bytes.len() as u64,
        backend.verifying(&five).unwrap().proof_bytes()
    );
}

#[test]
fn a_budget_of_nothing_still_proves() {
    let backend = Halo2Ipa::new(params_dir(), 0);
    let circuit = recorded::<Series<5>>();
    backend
        .prove(&circuit, &witness::<Series<5>>(&circuit))
        .unwrap();
    assert_eq!(backend.warm_bytes(), 0);
}

#[test]
fn key_digests_are_stable_and_differ_between_circuits() {
    let digest = |backend: &Halo2Ipa| {
        backend
            .verifying(&recorded::<Series<5>>())
            .unwrap()
            .key_digest()
    };
    let (one, other) = (
        Halo2Ipa::new(params_dir(), 1 << 30),
        Halo2Ipa::new(params_dir(), 1 << 30),
    );
    assert_eq!(digest(&one), digest(&other));
    let six = one
        .verifying(&recorded::<Series<6>>())
        .unwrap()
        .key_digest();
    assert_ne!(digest(&one), six);
}
