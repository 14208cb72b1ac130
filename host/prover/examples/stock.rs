//! Stock `create_proof` on the author's own merkle circuit: the proof's time in milliseconds for each
//! line read.
//!
//! `stock DEPTH PARAMS_DIR`. What `cargo xtask bench prove` compares with: it builds this program with
//! `--cfg pasta_curves_noasm`, as `halo2_proofs` is built where nobody asked for assembly.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{error::Error, io, time::Instant};

use aureole_merkle::Merkle;
use aureole_prover::ParamsDir;
use aureole_sdk::{Plugin, native};
use getrandom::{SysRng, rand_core::UnwrapErr};
use halo2_proofs::{
    plonk::{create_proof, keygen_pk, keygen_vk},
    transcript::{Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};

/// The allocator of the programs beside it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const INPUT: &str = r#"{"leaves":["0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"],"leaf_index":0}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let depth: u32 = arguments.next().ok_or("give a depth")?.parse()?;
    let folder = arguments.next().ok_or("give the parameters' folder")?;
    let circuit_params = format!(r#"{{"depth":{depth}}}"#);
    let k = native::check::<Merkle>(&circuit_params)?.circuit().k;
    let params = ParamsDir::open(folder)?.get(k)?;
    let assign = || -> Result<_, Box<dyn Error>> {
        let (circuit_params, input) = (&circuit_params, serde_json::from_str(INPUT)?);
        Ok(Merkle::assign(
            &serde_json::from_str(circuit_params)?,
            input,
        )?)
    };
    let (circuit, instance) = assign()?;
    let key = keygen_pk(&params, keygen_vk(&params, &circuit)?, &circuit)?;
    println!("{}", pasta_curves::BACKEND);
    for line in io::stdin().lines() {
        line?;
        let (circuit, _) = assign()?;
        let columns: [&[Fp]; 1] = [&instance];
        let begun = Instant::now();
        let mut transcript = Blake2bWrite::<_, EqAffine, Challenge255<_>>::init(Vec::new());
        let random = UnwrapErr(SysRng);
        create_proof(
            &params,
            &key,
            &[circuit],
            &[&columns],
            random,
            &mut transcript,
        )?;
        transcript.finalize();
        println!("{}", begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
