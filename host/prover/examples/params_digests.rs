//! Prints the table in `src/params/digests.rs`: the SHA-256 of the public parameters for each k
//! of a range, computed from nothing.
//!
//! `cargo run -p aureole-prover --example params_digests -- 3 14` takes about half a minute.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use halo2_proofs::poly::commitment::Params;
use pasta_curves::EqAffine;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut bound = |name: &str| arguments.next().ok_or(format!("missing {name} k"));
    let (first, last): (u32, u32) = (bound("first")?.parse()?, bound("last")?.parse()?);
    for k in first..=last {
        let mut bytes = Vec::new();
        Params::<EqAffine>::new(k).write(&mut bytes)?;
        println!(
            "    \"{}\", // k = {k}",
            hex::encode(Sha256::digest(&bytes))
        );
    }
    Ok(())
}
