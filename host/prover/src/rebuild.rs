//! The author's circuit again, as a native `plonk::Circuit`.
//!
//! `Circuit::configure` is static and a `FloorPlanner` sees only generic types, so the
//! description reaches both through a thread-local that [`run`] sets around each call into
//! halo2. `keygen_vk`, `keygen_pk`, `create_proof` and `MockProver::run` call them on the calling
//! thread, with the `multicore` feature too: only arithmetic goes to other threads. A thread that
//! waits in rayon may pick up another proof of the same pool; that one sets its own description
//! and restores this one when it is done, and neither halo2 function reads it in between.

mod description;
mod planner;

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
};

use halo2_proofs::{
    circuit::Layouter,
    plonk::{self, Circuit, ConstraintSystem},
};
use pasta_curves::Fp;

pub(crate) use self::{
    description::{Description, reachable},
    planner::{DirectPlanner, FixedLayout},
};
use crate::Error;

/// What one call into halo2 works on.
pub(crate) struct Job {
    /// The shape, for `configure`.
    pub(crate) description: Arc<Description>,
    /// The rows, for key generation and the mock prover.
    pub(crate) layout: Option<FixedLayout>,
    /// The advice columns, for proving and the mock prover. The planner takes them: halo2 keeps a copy
    /// of its own, and two would be the most that a proof has in memory.
    pub(crate) advice: Cell<Option<Vec<Vec<Fp>>>>,
}

/// The circuit handed to halo2. It is empty: see the module's description.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rebuilt;

struct Scope {
    outer: Option<Rc<Job>>,
}

thread_local! {
    static JOB: RefCell<Option<Rc<Job>>> = const { RefCell::new(None) };
}

/// Runs a function of halo2 on [`Rebuilt`] with the job in reach, and catches its panics.
pub(crate) fn run<T>(
    during: &'static str,
    job: Job,
    function: impl FnOnce() -> Result<T, plonk::Error>,
) -> Result<T, Error> {
    let _scope = Scope::enter(job);
    guard(during, function)?.map_err(|source| Error::Halo2 { during, source })
}

/// Runs a function and turns its panic into an error.
///
/// Nothing that the closure touched is used after a panic: halo2's functions take parameters and
/// keys by shared reference and keep no state of their own.
pub(crate) fn guard<T>(during: &'static str, function: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(function))
        .map_err(|payload| Error::panicked(during, payload.as_ref()))
}

fn current() -> Option<Rc<Job>> {
    JOB.with_borrow(Clone::clone)
}

// === impl Scope ===

impl Scope {
    fn enter(job: Job) -> Self {
        Self {
            outer: JOB.replace(Some(Rc::new(job))),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        JOB.set(self.outer.take());
    }
}

// === impl Rebuilt ===

impl Circuit<Fp> for Rebuilt {
    type Config = ();
    type FloorPlanner = DirectPlanner;

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) {
        let job = current();
        assert!(
            job.is_some(),
            "halo2 called configure outside of a job's scope"
        );
        if let Some(job) = job {
            job.description.configure(meta);
        }
    }

    fn synthesize(&self, (): (), _: impl Layouter<Fp>) -> Result<(), plonk::Error> {
        // The planner writes the recorded cells itself and never asks the circuit.
        Err(plonk::Error::Synthesis)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first broken fact"
)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let error = guard("testing", || panic!("row {} is bad", 7))
            .map(|(): ()| ())
            .unwrap_err();
        assert_eq!(error.code(), "prover.panicked");
        assert_eq!(
            error.to_string(),
            "halo2 panicked during testing: row 7 is bad"
        );
    }

    #[test]
    fn a_panics_message_is_cut() {
        let long = "x".repeat(10_000);
        let error = guard("testing", || panic!("{long}"))
            .map(|(): ()| ())
            .unwrap_err();
        assert!(error.to_string().len() < 1000);
    }

    #[test]
    fn outside_of_a_job_halo2_gets_an_error_and_no_circuit() {
        let configure = || Rebuilt::configure(&mut ConstraintSystem::default());
        let error = guard("testing", configure).unwrap_err();
        assert!(
            error.to_string().contains("outside of a job's scope"),
            "{error}"
        );
    }
}
