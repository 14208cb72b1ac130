//! What holds for every circuit: the key is stock halo2's, and proofs pass both ways.

use aureole_prover::{Reason, Verdict};
use ff::PrimeField;
use pasta_curves::Fp;

use crate::case::{Case, Native, backend, recorded, witness};

/// Makes the tests of a circuit.
macro_rules! conforms {
    ($name:ident, $case:ty) => {
        mod $name {
            use super::*;
            use $crate::conformance;

            #[test]
            fn key_equals_the_native_key_byte_for_byte() {
                conformance::key_equals_the_native_key::<$case>();
            }

            #[test]
            fn a_platform_proof_verifies_natively_and_here() {
                conformance::a_platform_proof_verifies::<$case>();
            }

            #[test]
            fn a_native_proof_verifies_here_and_changes_to_it_do_not() {
                conformance::a_native_proof_verifies::<$case>();
            }
        }
    };
}
pub(crate) use conforms;

pub fn key_equals_the_native_key<C: Case>() {
    let circuit = recorded::<C>();
    let native = Native::new::<C>(circuit.circuit().k);
    let ours = backend().verifying(&circuit).unwrap();
    let pinned = format!("{:?}", native.verifying().pinned());
    assert_eq!(ours.pinned(), pinned);
    // The proving key's own copy of the verifying key went through `keygen_pk`'s configure.
    let proving = backend().proving(&circuit).unwrap();
    assert_eq!(format!("{:?}", proving.halo2().get_vk().pinned()), pinned);
    assert_eq!(proving.key_digest(), ours.key_digest());
}

pub fn a_platform_proof_verifies<C: Case>() {
    let circuit = recorded::<C>();
    let native = Native::new::<C>(circuit.circuit().k);
    let witness = witness::<C>(&circuit);
    aureole_prover::check(&circuit, &witness).unwrap();
    let proof = backend().prove(&circuit, &witness).unwrap();
    let (_, instance) = C::filled();
    assert!(native.verifies(&instance, &proof.bytes));
    let verdict = backend()
        .verify(&circuit, &witness.public_inputs, &proof.bytes)
        .unwrap();
    assert_eq!(verdict, Verdict::Valid);
    let length = backend().verifying(&circuit).unwrap().proof_bytes();
    assert_eq!(proof.bytes.len() as u64, length);
}

pub fn a_native_proof_verifies<C: Case>() {
    let circuit = recorded::<C>();
    let native = Native::new::<C>(circuit.circuit().k);
    let proof = native.prove::<C>();
    let (_, instance) = C::filled();
    let public_inputs = witness::<C>(&circuit).public_inputs;
    let verify = |public_inputs: &[u8], proof: &[u8]| {
        backend().verify(&circuit, public_inputs, proof).unwrap()
    };
    assert_eq!(verify(&public_inputs, &proof), Verdict::Valid);

    // One flipped bit at the beginning, in the middle, at the end.
    for at in [0, proof.len() / 2, proof.len() - 1] {
        let mut flipped = proof.clone();
        flipped[at] ^= 1;
        let verdict = verify(&public_inputs, &flipped);
        assert_eq!(
            verdict,
            Verdict::Invalid {
                reason: Reason::Proof
            },
            "byte {at}"
        );
    }

    // One changed public input, each in turn.
    for at in (0..public_inputs.len()).step_by(32) {
        let mut changed = public_inputs.clone();
        changed[at] ^= 1;
        let verdict = verify(&changed, &proof);
        assert_eq!(
            verdict,
            Verdict::Invalid {
                reason: Reason::Proof
            },
            "input {}",
            at / 32
        );
    }

    // Stock halo2 accepts a byte after the proof; we do not.
    let mut longer = proof.clone();
    longer.push(0);
    assert!(native.verifies(&instance, &longer));
    let expected = proof.len() as u64;
    let reason = Reason::ProofLength {
        expected,
        found: expected + 1,
    };
    assert_eq!(verify(&public_inputs, &longer), Verdict::Invalid { reason });
    let reason = Reason::ProofLength {
        expected,
        found: expected - 1,
    };
    let shorter = &proof[..proof.len() - 1];
    assert_eq!(verify(&public_inputs, shorter), Verdict::Invalid { reason });

    // Nor a trailing zero among the public inputs, nor one that is missing.
    let mut padded = public_inputs.clone();
    padded.extend_from_slice(&Fp::zero().to_repr());
    assert_refused_inputs(verify(&padded, &proof), "public_inputs.length");
    if let Some(last) = instance.iter().rposition(|column| !column.is_empty()) {
        let mut zeros = instance.clone();
        zeros[last].push(Fp::zero());
        assert!(native.verifies(&zeros, &proof));
        let fewer = &public_inputs[..public_inputs.len() - 32];
        assert_refused_inputs(verify(fewer, &proof), "public_inputs.length");
        let mut alias = public_inputs.clone();
        alias[..32].copy_from_slice(&[0xff; 32]);
        assert_refused_inputs(verify(&alias, &proof), "public_inputs.field_non_canonical");
    }
}

pub fn assert_refused_inputs(verdict: Verdict, expected: &str) {
    match verdict {
        Verdict::Invalid {
            reason: Reason::PublicInputs { code, detail },
        } => {
            assert_eq!(code, expected, "{detail}");
        }
        other => panic!("{other:?}"),
    }
}
