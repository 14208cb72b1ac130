//! Verifying many proofs together gives each the verdict it would get alone.

use aureole_prover::{Proof, Reason, Verdict};

use crate::{
    case::{backend, recorded, witness},
    circuits::{empty::Empty, series::Series},
    conformance::assert_refused_inputs,
};

type Case = Series<5>;

fn proofs(count: usize) -> (aureole_ir::CheckedCircuit, Vec<u8>, Vec<Proof>) {
    let circuit = recorded::<Case>();
    let witness = witness::<Case>(&circuit);
    let proofs = (0..count)
        .map(|_| backend().prove(&circuit, &witness).unwrap())
        .collect();
    (circuit, witness.public_inputs, proofs)
}

#[test]
fn a_batch_of_good_proofs_is_valid() {
    let (circuit, public_inputs, proofs) = proofs(5);
    let batch: Vec<_> = proofs
        .iter()
        .map(|proof| (public_inputs.as_slice(), proof.bytes.as_slice()))
        .collect();
    let verdicts = backend().verify_batch(&circuit, &batch).unwrap();
    assert_eq!(verdicts, vec![Verdict::Valid; 5]);
}

#[test]
fn bad_proofs_are_singled_out_of_a_batch() {
    let (circuit, public_inputs, mut proofs) = proofs(9);
    let flipped = proofs[2].bytes.len() / 2;
    proofs[2].bytes[flipped] ^= 1;
    proofs[5].bytes.push(0);
    let mut wrong = public_inputs.clone();
    wrong[0] ^= 1;
    let batch: Vec<_> = proofs
        .iter()
        .enumerate()
        .map(|(index, proof)| {
            let public_inputs = match index {
                7 => wrong.as_slice(),
                8 => &public_inputs[..0],
                _ => public_inputs.as_slice(),
            };
            (public_inputs, proof.bytes.as_slice())
        })
        .collect();
    let mut verdicts = backend().verify_batch(&circuit, &batch).unwrap();

    assert_refused_inputs(verdicts.pop().unwrap(), "public_inputs.length");
    assert_eq!(
        verdicts[2],
        Verdict::Invalid {
            reason: Reason::Proof
        }
    );
    assert!(matches!(
        verdicts[5],
        Verdict::Invalid {
            reason: Reason::ProofLength { .. }
        }
    ));
    assert_eq!(
        verdicts[7],
        Verdict::Invalid {
            reason: Reason::Proof
        }
    );
    for index in [0, 1, 3, 4, 6] {
        assert!(verdicts[index].is_valid(), "proof {index}");
    }
}

#[test]
fn an_empty_batch_has_no_verdicts() {
    let circuit = recorded::<Case>();
    assert_eq!(backend().verify_batch(&circuit, &[]).unwrap(), []);
}

#[test]
fn a_proof_of_another_circuit_with_the_same_length_is_refused() {
    let (circuit, public_inputs, proofs) = proofs(1);
    let other = recorded::<Series<6>>();
    assert_ne!(circuit.digest(), other.digest());
    let verdict = backend()
        .verify(&other, &public_inputs, &proofs[0].bytes)
        .unwrap();
    assert_eq!(
        verdict,
        Verdict::Invalid {
            reason: Reason::Proof
        }
    );
}

#[test]
fn bytes_that_are_no_proof_are_refused_whatever_they_are() {
    let circuit = recorded::<Empty>();
    let length = usize::try_from(backend().verifying(&circuit).unwrap().proof_bytes()).unwrap();
    for byte in [0x00, 0x01, 0x40, 0xff] {
        let verdict = backend()
            .verify(&circuit, &[], &vec![byte; length])
            .unwrap();
        assert_eq!(
            verdict,
            Verdict::Invalid {
                reason: Reason::Proof
            },
            "{byte:#x}"
        );
    }
}
