//! Stock halo2 on the author's own merkle circuit beside the platform's prover, in turn, on the
//! same machine: what the detour over the recording costs.
//!
//! `cargo run --release -p aureole-prover --example overhead -- 7` repeats each seven times.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::{Duration, Instant};

use aureole_merkle::Merkle;
use aureole_prover::{Halo2Ipa, ParamsDir, check};
use aureole_sdk::{Plugin, native};
use getrandom::{SysRng, rand_core::UnwrapErr};
use halo2_proofs::{
    plonk::{create_proof, keygen_pk, keygen_vk},
    transcript::{Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};

const PARAMS: &str = r#"{"depth":32}"#;
const INPUT: &str = r#"{"leaves":["0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"],"leaf_index":0}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repeats: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(5), |count| count.parse())?;
    let dir = std::env::temp_dir().join("aureole-overhead-params");
    let backend = Halo2Ipa::new(ParamsDir::open(dir)?, 1 << 30);
    let circuit = native::check::<Merkle>(PARAMS)?;
    let witness = native::witness::<Merkle>(PARAMS, INPUT)?;
    let params = backend.params().get(circuit.circuit().k)?;
    backend.proving(&circuit)?;

    let assign = || {
        Merkle::assign(&serde_json::from_str(PARAMS)?, serde_json::from_str(INPUT)?)
            .map_err(Box::<dyn std::error::Error>::from)
    };
    let (own, instance) = assign()?;
    let key = keygen_pk(&params, keygen_vk(&params, &own)?, &own)?;

    let (mut stock, mut ours, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats {
        let (own, _) = assign()?;
        let start = Instant::now();
        let mut transcript = Blake2bWrite::<_, EqAffine, Challenge255<_>>::init(Vec::new());
        let columns: [&[Fp]; 1] = [&instance];
        let rng = UnwrapErr(SysRng);
        create_proof(&params, &key, &[own], &[&columns], rng, &mut transcript)?;
        stock.push(start.elapsed());

        let start = Instant::now();
        let proof = backend.prove(&circuit, &witness)?;
        ours.push(start.elapsed());
        values.push(proof.timings.values);
    }
    let start = Instant::now();
    check(&circuit, &witness)?;
    let checked = start.elapsed();
    let proof = backend.prove(&circuit, &witness)?.bytes;
    let start = Instant::now();
    let verdict = backend.verify(&circuit, &witness.public_inputs, &proof)?;
    let verified = start.elapsed();

    let (stock, ours) = (median(stock), median(ours));
    let ratio = ours.as_secs_f64() / stock.as_secs_f64();
    println!(
        "merkle of depth 32: k = {}, {} bytes of proof",
        circuit.circuit().k,
        proof.len()
    );
    println!("stock create_proof  {stock:>10.2?}");
    println!(
        "platform prove      {ours:>10.2?}, {:.2?} of it values, ratio {ratio:.3}",
        median(values)
    );
    println!("check               {checked:>10.2?}");
    println!("verify              {verified:>10.2?} {verdict:?}");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
