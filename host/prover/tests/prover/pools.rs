//! Proofs side by side, on pools of their own and on one they share.

use aureole_prover::Verdict;
use rayon::{ThreadPoolBuilder, prelude::*};

use crate::{
    case::{Case, backend, recorded, witness},
    circuits::{lookups::Lookups, mixed::Mixed, rotations::Rotations, series::Series},
};

fn proves_in<C: Case>(pool: &rayon::ThreadPool) {
    let circuit = recorded::<C>();
    let witness = witness::<C>(&circuit);
    let proof = backend().prove_in(&circuit, &witness, Some(pool)).unwrap();
    let verdict = backend()
        .verify(&circuit, &witness.public_inputs, &proof.bytes)
        .unwrap();
    assert_eq!(verdict, Verdict::Valid);
}

#[test]
fn a_pool_of_one_thread_proves() {
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    proves_in::<Mixed>(&pool);
}

#[test]
fn different_circuits_prove_at_once_in_one_pool() {
    // Threads that wait inside one proof pick up another of the same pool: each must keep to its
    // own description.
    let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let cases: [fn(&rayon::ThreadPool); 4] = [
        proves_in::<Mixed>,
        proves_in::<Lookups>,
        proves_in::<Rotations>,
        proves_in::<Series<5>>,
    ];
    pool.install(|| {
        (0..24_usize)
            .into_par_iter()
            .for_each(|index| cases[index % cases.len()](&pool));
    });
}

#[test]
fn different_circuits_prove_at_once_on_threads_of_their_own() {
    std::thread::scope(|scope| {
        for case in [
            proves_in::<Mixed>,
            proves_in::<Lookups>,
            proves_in::<Series<40>>,
        ] {
            scope.spawn(move || {
                case(&ThreadPoolBuilder::new().num_threads(2).build().unwrap());
            });
        }
    });
}
