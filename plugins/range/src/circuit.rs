//! The circuit: a committed value lies between two public bounds.
//!
//! ```text
//!   row   state 0          state 1          state 2
//!    0    value - lo       hi - value       lo          (from the instance)
//!    1    running sum      running sum      value       bounds gate looks one row up and down
//!    2    of 2-bit         of 2-bit         hi          (from the instance)
//!    3    words ...        words ...        blinding
//!   ...   0 at the end     0 at the end
//! ```
//!
//! below that one Poseidon hash of `value` and `blinding`, copied from the cells above.
//!
//! What it promises, for width `b`: `value - lo` and `hi - value` are both integers in
//! `[0, 2^b)`. All arithmetic is modulo the field's p, about 2^254, and b is at most 128, so for
//! bounds below 2^128 this is `lo <= value <= hi` over the integers. `lo` and `hi` are public:
//! who verifies must look at them. Bounds near p act as negative numbers.
//!
//! No table: words of two bits are checked by a degree-5 gate, below the degree 6 that Poseidon
//! sets anyway. So 32 bits fit in 2^6 rows and 128 bits in 2^7.

use std::fmt;

use ff::PrimeField;
use halo2_gadgets::{
    poseidon::{
        Hash, Pow5Chip, Pow5Config,
        primitives::{self as poseidon, ConstantLength, P128Pow5T3},
    },
    utilities::{bool_check, decompose_running_sum::RunningSumConfig},
};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, Region, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Instance, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

const WIDTH: usize = 3;
const RATE: usize = 2;

/// Bits of one word of a running sum; a word's gate has degree 2^2 + 1.
const WORD_BITS: usize = 2;

/// Rows of the public inputs in the instance column.
const COMMITMENT_ROW: usize = 0;
const LO_ROW: usize = 1;
const HI_ROW: usize = 2;

/// The commitment to a value, computed outside a circuit: Poseidon (`P128Pow5T3`, constant
/// length 2) of the value and the blinding.
///
/// It hides the value only if `blinding` is uniformly random and kept secret.
#[must_use]
pub fn commitment(value: u128, blinding: Fp) -> Fp {
    poseidon::Hash::<_, P128Pow5T3, ConstantLength<2>, WIDTH, RATE>::init()
        .hash([Fp::from_u128(value), blinding])
}

/// What the prover knows.
#[derive(Clone, Copy)]
pub struct Opening {
    /// The committed value.
    pub value: Fp,
    /// What hides it.
    pub blinding: Fp,
    /// Lower bound, equal to the public one.
    pub lo: Fp,
    /// Upper bound, equal to the public one.
    pub hi: Fp,
}

/// A committed value lies within public bounds.
#[derive(Clone)]
pub struct RangeCircuit {
    bits: u32,
    opening: Value<Opening>,
}

/// The columns and gates of [`RangeCircuit`].
#[derive(Clone, Debug)]
pub struct RangeConfig {
    poseidon: Pow5Config<Fp, WIDTH, RATE>,
    state: [Column<Advice>; WIDTH],
    above: RunningSumConfig<Fp, WORD_BITS>,
    below: RunningSumConfig<Fp, WORD_BITS>,
    q_bounds: Selector,
    q_top_bit: Selector,
    public: Column<Instance>,
}

/// The two cells that the commitment is made of.
struct Committed {
    value: AssignedCell<Fp, Fp>,
    blinding: AssignedCell<Fp, Fp>,
}

// === impl RangeCircuit ===

impl RangeCircuit {
    /// The circuit of width `bits`, 1 to 128, without a witness.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        Self {
            bits,
            opening: Value::unknown(),
        }
    }

    /// The same circuit with a witness; it is not checked here, the constraints do that.
    #[must_use]
    pub fn with_opening(self, opening: Opening) -> Self {
        Self {
            opening: Value::known(opening),
            ..self
        }
    }

    /// Lays out the bounds and constrains both differences to the width.
    fn check_bounds(
        &self,
        config: &RangeConfig,
        layouter: &mut impl Layouter<Fp>,
    ) -> Result<Committed, Error> {
        let opening = self.opening;
        let [_, _, column] = config.state;
        layouter.assign_region(
            || "bounds",
            |mut region| {
                config.q_bounds.enable(&mut region, 1)?;
                region.assign_advice_from_instance(|| "lo", config.public, LO_ROW, column, 0)?;
                let value =
                    region.assign_advice(|| "value", column, 1, || opening.map(|o| o.value))?;
                region.assign_advice_from_instance(|| "hi", config.public, HI_ROW, column, 2)?;
                let blinding = region.assign_advice(
                    || "blinding",
                    column,
                    3,
                    || opening.map(|o| o.blinding),
                )?;

                let above = opening.map(|o| o.value - o.lo);
                let below = opening.map(|o| o.hi - o.value);
                let tops = [
                    self.running_sum(&config.above, &mut region, above)?,
                    self.running_sum(&config.below, &mut region, below)?,
                ];
                self.constrain_tops(config, &mut region, &tops)?;
                Ok(Committed { value, blinding })
            },
        )
    }

    /// Whole words of the width; an odd width has one more bit.
    fn words(&self) -> usize {
        self.bits as usize / WORD_BITS
    }

    /// Splits a difference into words from row 0 and returns what is left above them.
    fn running_sum(
        &self,
        sum: &RunningSumConfig<Fp, WORD_BITS>,
        region: &mut Region<'_, Fp>,
        difference: Value<Fp>,
    ) -> Result<AssignedCell<Fp, Fp>, Error> {
        let words = self.words();
        let sums = sum.witness_decompose(region, 0, difference, false, words * WORD_BITS, words)?;
        // The helper returns one more cell than there are words, so there is a last one.
        sums.last().cloned().ok_or(Error::Synthesis)
    }

    /// What is left above the words is nothing, or one bit where the width is odd.
    fn constrain_tops(
        &self,
        config: &RangeConfig,
        region: &mut Region<'_, Fp>,
        tops: &[AssignedCell<Fp, Fp>; 2],
    ) -> Result<(), Error> {
        if self.bits as usize % WORD_BITS == 1 {
            return config.q_top_bit.enable(region, self.words());
        }
        tops.iter()
            .try_for_each(|top| region.constrain_constant(top.cell(), Fp::zero()))
    }
}

// A witness is private: the debug forms show none of it.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

impl fmt::Debug for RangeCircuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeCircuit")
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

impl Circuit<Fp> for RangeCircuit {
    type Config = RangeConfig;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::new(self.bits)
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let state = [(); WIDTH].map(|()| meta.advice_column());
        let partial_sbox = meta.advice_column();
        let rc_a = [(); WIDTH].map(|()| meta.fixed_column());
        let rc_b = [(); WIDTH].map(|()| meta.fixed_column());
        let [constants, ..] = rc_b;
        meta.enable_constant(constants);
        let public = meta.instance_column();
        meta.enable_equality(public);

        let poseidon = Pow5Chip::configure::<P128Pow5T3>(meta, state, partial_sbox, rc_a, rc_b);
        let [column_above, column_below, column_value] = state;

        // Both sums stand side by side on the same rows, so one selector serves both.
        let q_word = meta.selector();
        let above = RunningSumConfig::configure(meta, q_word, column_above);
        let below = RunningSumConfig::configure(meta, q_word, column_below);

        let q_top_bit = meta.selector();
        meta.create_gate("top bit", |meta| {
            let q_top_bit = meta.query_selector(q_top_bit);
            let above = meta.query_advice(column_above, Rotation::cur());
            let below = meta.query_advice(column_below, Rotation::cur());
            Constraints::with_selector(
                q_top_bit,
                [
                    ("value - lo has a top bit", bool_check(above)),
                    ("hi - value has a top bit", bool_check(below)),
                ],
            )
        });

        let q_bounds = meta.selector();
        meta.create_gate("bounds", |meta| {
            let q_bounds = meta.query_selector(q_bounds);
            let above = meta.query_advice(column_above, Rotation::prev());
            let below = meta.query_advice(column_below, Rotation::prev());
            let lo = meta.query_advice(column_value, Rotation::prev());
            let value = meta.query_advice(column_value, Rotation::cur());
            let hi = meta.query_advice(column_value, Rotation::next());
            Constraints::with_selector(
                q_bounds,
                [
                    ("value is lo and the part above", lo + above - value.clone()),
                    ("hi is value and the part below", value + below - hi),
                ],
            )
        });

        RangeConfig {
            poseidon,
            state,
            above,
            below,
            q_bounds,
            q_top_bit,
            public,
        }
    }

    fn synthesize(
        &self,
        config: Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        let Committed { value, blinding } = self.check_bounds(&config, &mut layouter)?;
        let chip = Pow5Chip::construct(config.poseidon.clone());
        let hash = Hash::<_, _, P128Pow5T3, ConstantLength<2>, WIDTH, RATE>::init(
            chip,
            layouter.namespace(|| "commitment"),
        )?;
        let commitment = hash.hash(layouter.namespace(|| "commitment"), [value, blinding])?;
        layouter.constrain_instance(commitment.cell(), config.public, COMMITMENT_ROW)
    }
}
