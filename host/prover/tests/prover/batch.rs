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

#[test]
fn corrupted_proofs_are_refused_and_never_an_error() {
    let (circuit, public_inputs, proofs) = proofs(1);
    let good = &proofs[0].bytes;
    let mut random = 1_u64;
    for _ in 0..200 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = usize::try_from(random >> 33).unwrap() % good.len();
        let mut proof = good.clone();
        proof[at] ^= u8::try_from(random >> 57).unwrap() | 1;
        // A whole element from elsewhere in the proof is well-formed, and wrong.
        if random & (1 << 20) != 0 {
            proof = good.clone();
            let (from, to) = (at / 32 * 32, (at / 32 * 32 + 64) % good.len());
            proof[to..to + 32].copy_from_slice(&good[from..from + 32]);
        }
        let verdict = backend().verify(&circuit, &public_inputs, &proof).unwrap();
        assert_eq!(
            verdict,
            Verdict::Invalid {
                reason: Reason::Proof
            },
            "byte {at}"
        );
    }
}

#[test]
fn a_thousand_proofs_of_one_witness_share_no_commitment() {
    // A repeated first commitment would be a repeated blinding factor.
    let (_, _, proofs) = proofs(1_000);
    let first: std::collections::BTreeSet<&[u8]> =
        proofs.iter().map(|proof| &proof.bytes[..32]).collect();
    assert_eq!(first.len(), 1_000);
}
