//! How long keys and proofs take on this machine, from one short measurement.
//!
//! Nearly all of a proof's time goes to multiexponentiations of 2^k points. One of a fixed size is
//! timed on all of rayon's threads, and the number that a circuit needs is counted from its shape.
//! Measured against real proofs of the first-party circuits the result is right within a factor
//! of two, which is what it is for.

use std::time::{Duration, Instant};

use aureole_ir::Shape;
use ff::Field;
use group::CurveAffine as _;
use halo2_proofs::arithmetic::best_multiexp;
use pasta_curves::{EqAffine, Fp};

/// The measured size: large enough that its time per point is that of larger ones.
const MEASURED_K: u32 = 11;

/// Runs of which the fastest counts: another process may take a core at any moment.
const RUNS: usize = 3;

/// Multiexponentiations that the opening argument is worth, as measured from k = 10 to 14.
const OPENING: u64 = 10;

/// A machine's speed.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Of one multiexponentiation of 2^[`MEASURED_K`] points.
    measured: Duration,
}

// === impl Speed ===

impl Speed {
    /// Measures, in well under a second.
    #[must_use]
    pub fn measure() -> Self {
        let points = 1_usize << MEASURED_K;
        let bases = vec![EqAffine::generator(); points];
        let mut scalar = Fp::from(0x9e37_79b9_7f4a_7c15);
        let scalars: Vec<Fp> = (0..points)
            .map(|_| {
                scalar = scalar.square() + Fp::ONE;
                scalar
            })
            .collect();
        let run = |_| {
            let start = Instant::now();
            std::hint::black_box(best_multiexp(&scalars, &bases));
            start.elapsed()
        };
        let measured = (0..RUNS).map(run).min().unwrap_or_default();
        Self { measured }
    }

    /// What was measured, in words.
    #[must_use]
    pub fn basis(&self) -> String {
        format!(
            "one multiexponentiation of 2^{MEASURED_K} points took {:.1} ms here on {} threads; \
             right within a factor of two",
            self.measured.as_secs_f64() * 1000.0,
            rayon::current_num_threads()
        )
    }

    /// Making the proving key.
    #[must_use]
    pub fn keygen(&self, shape: &Shape) -> Duration {
        let columns = sum(&[
            shape.fixed_columns,
            shape.selectors,
            shape.permutation_columns,
        ]);
        // Each is committed to, and its coset costs about half as much again.
        self.multiexponentiations(shape, columns.saturating_mul(3) / 2)
    }

    /// Making one proof with warm keys.
    #[must_use]
    pub fn proof(&self, shape: &Shape) -> Duration {
        self.multiexponentiations(shape, proof_commitments(shape))
    }

    fn multiexponentiations(&self, shape: &Shape, count: u64) -> Duration {
        let points = 2_f64.powi(i32::try_from(shape.k.min(64)).unwrap_or(64));
        let measured = 2_f64.powi(i32::try_from(MEASURED_K).unwrap_or(0));
        let seconds = self.measured.as_secs_f64() * points / measured * count as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Terms of all multiexponentiations of one proof: what its time is proportional to, whatever the
/// machine.
#[must_use]
pub fn proof_work(shape: &Shape) -> u64 {
    let points = 1_u64.checked_shl(shape.k).unwrap_or(u64::MAX);
    proof_commitments(shape).saturating_mul(points)
}

/// Multiexponentiations of one proof.
fn proof_commitments(shape: &Shape) -> u64 {
    let chunk = u64::from(shape.degree.saturating_sub(2).max(1));
    let sets = u64::from(shape.permutation_columns).div_ceil(chunk);
    let lookups = u64::from(shape.lookups).saturating_mul(3);
    // Columns, then the pieces of the quotient, the random polynomial and the opening.
    let commitments = sum(&[shape.advice_columns, shape.instance_columns, shape.degree]);
    let count = commitments.saturating_add(lookups).saturating_add(sets);
    count.saturating_add(OPENING)
}

fn sum(parts: &[u32]) -> u64 {
    parts.iter().map(|part| u64::from(*part)).sum()
}
