//! How long keys and proofs take on this machine, from one short measurement.
//!
//! A proof of 2^k rows costs what every proof of that size costs (the opening argument, the
//! blinding polynomials, threads that start and wait), and one multiexponentiation for each column
//! and piece that its circuit commits to. Both are timed here: the first by stock halo2's proof of
//! the least circuit there is, the second alone; the circuit's number of commitments is counted
//! from its shape. Above [`MEASURED_K_MAX`] times grow with the rows.
//!
//! The test `speed` holds this against real proofs.

use std::time::{Duration, Instant};

use aureole_ir::Shape;
use ff::Field;
use group::CurveAffine as _;
use halo2_proofs::{
    arithmetic::best_multiexp,
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{
        self, Advice, Circuit, Column, ConstraintSystem, Constraints, Expression, Selector,
        create_proof, keygen_pk, keygen_vk,
    },
    poly::{Rotation, commitment::Params},
    transcript::{Blake2bWrite, Challenge255},
};
use pasta_curves::Fp;

use crate::{Error, Vesta, randomness::OsRandomness};

/// The sizes that are measured: halo2's blinding alone fills 8 rows, and a proof of the least
/// circuit of 2^12 takes a quarter of a second.
const MEASURED_K_MIN: u32 = 4;
/// See [`MEASURED_K_MIN`].
const MEASURED_K_MAX: u32 = 12;

/// Runs of which the fastest counts: another process may take a core at any moment.
const RUNS: usize = 3;

/// Multiexponentiations that the random polynomial and the opening are worth, as measured from
/// k = 10 to 14.
const OPENING: u64 = 11;

/// What the least circuit commits to: its column and two pieces of the quotient.
const LEAST_COMMITMENTS: u64 = 3;

/// A machine's speed with circuits of one size.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// The size that was measured.
    k: u32,
    /// Of a proof of the least circuit.
    least: Duration,
    /// Of one multiexponentiation of 2^k points.
    multiexponentiation: Duration,
}

// === impl Speed ===

impl Speed {
    /// The k whose parameters [`Speed::measure`] wants for a circuit's.
    #[must_use]
    pub fn measured_k(k: u32) -> u32 {
        k.clamp(MEASURED_K_MIN, MEASURED_K_MAX)
    }

    /// Measures, in about a second at most, on all of rayon's threads.
    ///
    /// # Errors
    /// [`Error::Halo2`], if halo2 cannot prove the least circuit.
    pub fn measure(params: &Params<Vesta>) -> Result<Self, Error> {
        let refused = |during| move |source| Error::Halo2 { during, source };
        let key = keygen_vk(params, &Least).map_err(refused("keygen_vk"))?;
        let key = keygen_pk(params, key, &Least).map_err(refused("keygen_pk"))?;
        let mut least = Duration::MAX;
        for _ in 0..RUNS {
            let mut transcript = Blake2bWrite::<_, Vesta, Challenge255<_>>::init(Vec::new());
            let (start, random) = (Instant::now(), OsRandomness::new());
            create_proof(params, &key, &[Least], &[&[]], random, &mut transcript)
                .map_err(refused("create_proof"))?;
            least = least.min(start.elapsed());
        }
        Ok(Self {
            k: params.k(),
            least,
            multiexponentiation: multiexponentiation(params.k()),
        })
    }

    /// What was measured, in words.
    #[must_use]
    pub fn basis(&self) -> String {
        let Self {
            k,
            least,
            multiexponentiation,
        } = self;
        let millis = |time: &Duration| time.as_secs_f64() * 1000.0;
        format!(
            "the least circuit of 2^{k} rows took {:.1} ms here, a commitment {:.2} ms, on {} \
             threads; right within a factor of two while the machine is as busy as now",
            millis(least),
            millis(multiexponentiation),
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
        let commitments = columns.saturating_mul(3) / 2;
        self.grown(shape, times(self.multiexponentiation, commitments))
    }

    /// Making one proof with warm keys.
    #[must_use]
    pub fn proof(&self, shape: &Shape) -> Duration {
        let more = commitments(shape).saturating_sub(LEAST_COMMITMENTS);
        let more = times(self.multiexponentiation, more);
        self.grown(shape, self.least.saturating_add(more))
    }

    /// A time at the measured size, at the circuit's.
    fn grown(&self, shape: &Shape, time: Duration) -> Duration {
        let doublings = shape.k.saturating_sub(self.k);
        times(time, 1_u64.checked_shl(doublings).unwrap_or(u64::MAX))
    }
}

/// One of 2^k points.
fn multiexponentiation(k: u32) -> Duration {
    let points = 1_usize << k;
    let bases = vec![Vesta::generator(); points];
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
    (0..RUNS).map(run).min().unwrap_or_default()
}

fn times(time: Duration, count: u64) -> Duration {
    let seconds = time.as_secs_f64() * count as f64;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Terms of all multiexponentiations of one proof: what its time is proportional to, whatever the
/// machine.
#[must_use]
pub fn proof_work(shape: &Shape) -> u64 {
    let points = 1_u64.checked_shl(shape.k).unwrap_or(u64::MAX);
    let count = commitments(shape).saturating_add(OPENING);
    count.saturating_mul(points)
}

/// What a proof commits to for the circuit's sake: columns, pieces of the quotient, and the
/// permuted input, permuted table and product of each lookup.
fn commitments(shape: &Shape) -> u64 {
    let chunk = u64::from(shape.degree.saturating_sub(2).max(1));
    let sets = u64::from(shape.permutation_columns).div_ceil(chunk);
    let lookups = u64::from(shape.lookups).saturating_mul(3);
    let pieces = shape.degree.saturating_sub(1);
    sum(&[shape.advice_columns, shape.instance_columns, pieces])
        .saturating_add(lookups)
        .saturating_add(sets)
}

fn sum(parts: &[u32]) -> u64 {
    parts.iter().map(|part| u64::from(*part)).sum()
}

/// One column that holds a bit.
#[derive(Clone, Copy, Debug)]
struct Least;

impl Circuit<Fp> for Least {
    type Config = (Column<Advice>, Selector);
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let (column, selector) = (meta.advice_column(), meta.selector());
        meta.create_gate("bit", |meta| {
            let on = meta.query_selector(selector);
            let bit = meta.query_advice(column, Rotation::cur());
            let other = Expression::Constant(Fp::ONE) - bit.clone();
            Constraints::with_selector(on, [bit * other])
        });
        (column, selector)
    }

    fn synthesize(
        &self,
        (column, selector): Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), plonk::Error> {
        layouter.assign_region(
            || "bit",
            |mut region| {
                selector.enable(&mut region, 0)?;
                let bit = || Value::known(Fp::ONE);
                region.assign_advice(|| "bit", column, 0, bit).map(|_| ())
            },
        )
    }
}
