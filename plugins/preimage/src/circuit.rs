//! The circuit: Poseidon of two private field elements equals one public one.
//!
//! It is an ordinary `halo2_proofs` circuit. Nothing in this file knows of Aureole: it could be
//! proved with stock halo2, and its verifying key is the same either way.
//!
//! ```text
//!   advice      message ----> pad and add ----> 36 rows of rounds ----> digest
//!   instance                                                            digest   (row 0)
//! ```
//!
//! What it promises: a proof exists only if its maker knew a message with that digest. Every
//! advice cell is tied down by a gate or a copy; `tests/circuit.rs` changes each of them in
//! turn and expects a refusal.

use std::fmt;

use halo2_gadgets::poseidon::{
    Hash, Pow5Chip, Pow5Config,
    primitives::{self as poseidon, ConstantLength, P128Pow5T3},
};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Instance},
};
use pasta_curves::Fp;

/// Poseidon's state: two elements are absorbed at a time, the third is never touched by input.
const WIDTH: usize = 3;
const RATE: usize = 2;

/// Field elements in a message; the hash is domain-separated by this length.
pub const MESSAGE_ELEMENTS: usize = 2;

/// Where the digest stands in the instance column.
const DIGEST_ROW: usize = 0;

/// The digest of a message, computed outside a circuit.
///
/// It is Poseidon with the `P128Pow5T3` parameters over the Pallas base field and constant input
/// length 2, as in Zcash's Orchard.
#[must_use]
pub fn digest(message: [Fp; MESSAGE_ELEMENTS]) -> Fp {
    poseidon::Hash::<_, P128Pow5T3, ConstantLength<MESSAGE_ELEMENTS>, WIDTH, RATE>::init()
        .hash(message)
}

/// Knowledge of a message with a public digest.
///
/// A circuit value is a shape and perhaps a witness. [`Value`] is an `Option` that a circuit
/// cannot look into: that is how halo2 makes sure that a layout never depends on a witness.
/// `Default` is the circuit without one.
#[derive(Clone, Default)]
pub struct PreimageCircuit {
    message: [Value<Fp>; MESSAGE_ELEMENTS],
}

/// The columns and gates of [`PreimageCircuit`].
#[derive(Clone, Debug)]
pub struct PreimageConfig {
    poseidon: Pow5Config<Fp, WIDTH, RATE>,
    state: [Column<Advice>; WIDTH],
    public: Column<Instance>,
}

// === impl PreimageCircuit ===

impl PreimageCircuit {
    /// The circuit with its witness.
    #[must_use]
    pub fn new(message: [Fp; MESSAGE_ELEMENTS]) -> Self {
        Self {
            message: message.map(Value::known),
        }
    }

    /// Puts the message into two cells.
    ///
    /// These two cells are the only place where the prover chooses. Whatever uses the message
    /// later must *copy* it from here: a second `assign_advice` of the same value would be a
    /// second, independent choice.
    fn load_message(
        &self,
        config: &PreimageConfig,
        layouter: &mut impl Layouter<Fp>,
    ) -> Result<[AssignedCell<Fp, Fp>; MESSAGE_ELEMENTS], Error> {
        let [first, second] = self.message;
        let [column_0, column_1, _] = config.state;
        layouter.assign_region(
            || "message",
            |mut region| {
                Ok([
                    region.assign_advice(|| "message 0", column_0, 0, || first)?,
                    region.assign_advice(|| "message 1", column_1, 0, || second)?,
                ])
            },
        )
    }
}

// `Value` prints what it holds; a witness is private.
impl fmt::Debug for PreimageCircuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreimageCircuit").finish_non_exhaustive()
    }
}

impl Circuit<Fp> for PreimageCircuit {
    type Config = PreimageConfig;

    // Regions go one below the other in the order of `synthesize`: easy to read in a report.
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::default()
    }

    /// Describes columns and gates. It is called once per key and sees no witness and no
    /// parameters.
    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        // Every advice column costs a commitment in each proof: reuse them for everything.
        let state = [(); WIDTH].map(|()| meta.advice_column());
        let partial_sbox = meta.advice_column();
        let rc_a = [(); WIDTH].map(|()| meta.fixed_column());
        let rc_b = [(); WIDTH].map(|()| meta.fixed_column());

        // The chip leaves `rc_b` free where it needs constants, so it needs no column for them.
        let [constants, ..] = rc_b;
        meta.enable_constant(constants);

        // `constrain_instance` is a copy, so the instance column takes part in the permutation.
        let public = meta.instance_column();
        meta.enable_equality(public);

        PreimageConfig {
            // Enables equality on `state` and brings the gates of the permutation.
            poseidon: Pow5Chip::configure::<P128Pow5T3>(meta, state, partial_sbox, rc_a, rc_b),
            state,
            public,
        }
    }

    /// Fills the rows. It runs for the key (values unknown) and for each proof (values known),
    /// and must do exactly the same both times.
    fn synthesize(
        &self,
        config: Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        let message = self.load_message(&config, &mut layouter)?;

        let chip = Pow5Chip::construct(config.poseidon.clone());
        let hash = Hash::<_, _, P128Pow5T3, ConstantLength<MESSAGE_ELEMENTS>, WIDTH, RATE>::init(
            chip,
            layouter.namespace(|| "init"),
        )?;
        let digest = hash.hash(layouter.namespace(|| "hash"), message)?;

        // Without this line the circuit would say nothing: it binds the computed digest to the
        // public one.
        layouter.constrain_instance(digest.cell(), config.public, DIGEST_ROW)
    }
}
