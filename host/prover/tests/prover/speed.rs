//! Estimated times are those of real proofs, within the factor that `inspect` promises.

use std::time::Duration;

use aureole_prover::Speed;

use crate::{
    case::{Case, backend, params_dir, recorded, witness},
    circuits::{lookups::Lookups, mixed::Mixed, series::Series},
};

/// What `inspect` promises.
const FACTOR: f64 = 2.0;

/// Attempts of which one must be right: other tests take the cores between estimate and proof.
const ATTEMPTS: u32 = 3;

/// Real time over estimated time.
fn ratio<C: Case>() -> (u32, f64) {
    let circuit = recorded::<C>();
    let witness = witness::<C>(&circuit);
    backend().proving(&circuit).unwrap();
    let shape = circuit.shape();
    let params = params_dir().proving(Speed::measured_k(shape.k)).unwrap();
    let estimated = Speed::measure(&params).unwrap().proof(shape);
    let real = (0..3)
        .map(|_| backend().prove(&circuit, &witness).unwrap().timings.prove)
        .min()
        .unwrap_or(Duration::ZERO);
    (shape.k, real.as_secs_f64() / estimated.as_secs_f64())
}

fn holds<C: Case>(name: &str) {
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let (k, ratio) = ratio::<C>();
        eprintln!("{name}, k = {k}: real over estimated {ratio:.2}");
        if (FACTOR.recip()..FACTOR).contains(&ratio) {
            return;
        }
        seen.push(ratio);
    }
    panic!("{name}: real over estimated {seen:?}");
}

#[test]
fn estimates_hold_from_the_smallest_circuits_to_large_ones() {
    holds::<Series<5>>("series of 5");
    holds::<Series<500>>("series of 500");
    holds::<Series<8000>>("series of 8000");
    holds::<Lookups>("lookups");
    holds::<Mixed>("mixed");
}
