//! `batch-verify N`: proofs of one key verified together, over one by one.
//!
//! One by one is stock `verify_proof`; together is the prover's batch, which shares the large
//! multiexponentiation. Both run in this process with all threads, by turns, on the same proofs.

use std::time::Instant;

use anyhow::ensure;
use aureole_ir::Limits;
use aureole_merkle::Merkle;
use aureole_prover::{Halo2Ipa, ParamsDir};
use aureole_tests::{Instance, Native, merkle_input, params_dir};
use ff::PrimeField as _;
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// Proofs of a batch.
const BATCH: u32 = 64;

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    tokio::task::spawn_blocking(move || measure(rounds)).await?
}

/// Proving keys that the backend may keep: one circuit's.
const KEY_CACHE_BYTES: u64 = 1 << 30;

fn measure(rounds: u32) -> anyhow::Result<Value> {
    let params = json!({});
    let circuit = Native::<Merkle>::recorded(&params)?.check(&Limits::default())?;
    let k = circuit.shape().k;
    let native = Native::<Merkle>::new(&params, k)?;
    let backend = Halo2Ipa::new(ParamsDir::open(params_dir()?)?, KEY_CACHE_BYTES);
    let mut proofs = Vec::new();
    for number in 1..=BATCH {
        let (assigned, instance) = native.assign(&merkle_input())?;
        let proof = native.prove(assigned, &instance)?;
        proofs.push((instance, proof));
        eprintln!("    proof {number} of {BATCH}");
    }
    let encoded: Vec<Vec<u8>> = proofs.iter().map(|(instance, _)| bytes(instance)).collect();
    let batch: Vec<(&[u8], &[u8])> = encoded
        .iter()
        .zip(&proofs)
        .map(|(public_inputs, (_, proof))| (public_inputs.as_slice(), proof.as_slice()))
        .collect();
    // The key is made before anything counts.
    backend.verify_batch(&circuit, batch.get(..2).unwrap_or_default())?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let begun = Instant::now();
        for (instance, proof) in &proofs {
            ensure!(
                native.verifies(instance, proof),
                "stock halo2 refuses its proof"
            );
        }
        alone.push(f64::from(BATCH) / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let verdicts = backend.verify_batch(&circuit, &batch)?;
        together.push(f64::from(BATCH) / begun.elapsed().as_secs_f64());
        ensure!(
            verdicts.iter().all(|verdict| verdict.is_valid()),
            "a batch of good proofs fails"
        );
        eprintln!("    round {round} of {rounds}");
    }
    let (alone, together) = (median(&alone)?, median(&together)?);
    println!("k = {k}: {alone:.1} proofs/s one by one, {together:.1} in batches of {BATCH}");
    Ok(json!({
        "bench": "batch-verify",
        "k": k,
        "batch": BATCH,
        "rounds": rounds,
        "single_per_s": rounded(alone),
        "batch_per_s": rounded(together),
        "ratio": rounded(together / alone),
    }))
}

/// Public inputs as the prover takes them: column by column, 32 bytes each.
fn bytes(instance: &Instance) -> Vec<u8> {
    let values = instance.iter().flatten();
    values.flat_map(|value| value.to_repr()).collect()
}
