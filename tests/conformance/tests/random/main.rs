//! Circuits that nobody wrote: hundreds a run, each with the key that stock halo2 gives it and
//! proved both ways.
//!
//! The first line of a failure has the seed of the one circuit that differs:
//! `AUREOLE_SEED=N cargo test -p aureole-conformance --test random` makes it again, alone. Then
//! the seed goes into `regressions.txt`. `AUREOLE_CIRCUITS=N` sets how many a run makes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests state facts; a broken one should stop right there"
)]

mod circuit;
mod solve;
mod spec;
mod stock;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use aureole_conformance::{Native, backend};
use aureole_ir::Limits;
use aureole_prover::{Reason, Verdict};
use aureole_sdk::{K, record};
use halo2_proofs::{
    circuit::{SimpleFloorPlanner, floor_planner::V1},
    dev::{MockProver, VerifyFailure},
    plonk::FloorPlanner,
};
use pasta_curves::Fp;

use circuit::{Made, with_spec};
use spec::Spec;

/// Circuits of one run.
const CIRCUITS: u64 = 300;
/// Where runs without a seed of their own begin.
const SEED: u64 = 0x0a0e_0e01;

#[test]
fn random_circuits_have_the_key_of_stock_halo2_and_proofs_pass_both_ways() {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(
            text.parse::<u64>()
                .unwrap_or_else(|_| panic!("{name}={text} is no number")),
        )
    };
    let kept = include_str!("regressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    for seed in kept {
        try_seed(seed.parse().unwrap());
    }
    if let Some(seed) = number("AUREOLE_SEED") {
        return try_seed(seed);
    }
    let count = number("AUREOLE_CIRCUITS").unwrap_or(CIRCUITS);
    eprintln!("{count} circuits from seed {SEED}");
    for index in 0..count {
        try_seed(SEED.wrapping_add(index));
    }
}

fn try_seed(seed: u64) {
    let planned = catch_unwind(AssertUnwindSafe(|| match seed % 2 {
        0 => compare::<SimpleFloorPlanner>(seed),
        _ => compare::<V1>(seed),
    }));
    let again = format!("AUREOLE_SEED={seed} makes it again; keep the seed in regressions.txt");
    match planned {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("circuit {seed}: {error:#}\n{again}"),
        Err(_) => panic!("circuit {seed} panicked, see above\n{again}"),
    }
}

fn compare<P: FloorPlanner>(seed: u64) -> anyhow::Result<()> {
    let mut spec = Spec::new(seed);
    let unsolved = Made::<P>::new(Arc::new(spec.clone()), false);
    let annotations = with_spec(&spec, || record::annotations(&unsolved))?;
    spec.solve(&annotations)?;
    let spec = Arc::new(spec);
    with_spec(&spec, || compare_solved::<P>(&spec))
}

fn compare_solved<P: FloorPlanner>(spec: &Arc<Spec>) -> anyhow::Result<()> {
    let empty = Made::<P>::new(Arc::clone(spec), false);
    let filled = || Made::<P>::new(Arc::clone(spec), true);
    let recorded = record::circuit(&empty, K::Auto, spec.public_inputs())?;
    let k = recorded.k;
    let circuit = recorded
        .check(&Limits::default())
        .context("it is refused")?;
    let ours = backend()?.verifying(&circuit)?.pinned();
    ensure!(ours == Native::pinned(&empty, k)?, "the keys differ");

    let instance = spec.instance();
    let witness = record::witness(&filled(), circuit.circuit(), &instance)?;
    let mock = MockProver::run(k, &filled(), instance.clone())?.verify();
    // A cell that nobody assigned is zero, here and there; the tool warns of it.
    let wrong = mock.err().into_iter().flatten().find(|failure| {
        !matches!(
            failure,
            VerifyFailure::CellNotAssigned { .. } | VerifyFailure::InstanceCellNotAssigned { .. }
        )
    });
    ensure!(
        wrong.is_none(),
        "the generator's witness does not satisfy: {wrong:?}"
    );
    aureole_prover::check(&circuit, &witness).context("our check is stricter than halo2's")?;

    let stock = Native::new(&empty, k)?;
    let proof = backend()?.prove(&circuit, &witness)?.bytes;
    ensure!(
        stock.verifies(&instance, &proof),
        "our proof does not verify natively"
    );
    let theirs = stock.prove(filled(), &instance)?;
    let verdict = |proof: &[u8]| {
        backend()?
            .verify(&circuit, &witness.public_inputs, proof)
            .map_err(anyhow::Error::from)
    };
    ensure!(
        verdict(&theirs)? == Verdict::Valid,
        "a native proof does not verify here"
    );
    let mut tampered = theirs;
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    let refused = Verdict::Invalid {
        reason: Reason::Proof,
    };
    ensure!(verdict(&tampered)? == refused, "a tampered proof verifies");
    if let Some(column) = instance.iter().position(|column| !column.is_empty()) {
        let mut other = instance;
        other[column][0] += Fp::one();
        ensure!(
            !stock.verifies(&other, &proof),
            "another public input verifies"
        );
    }
    Ok(())
}
