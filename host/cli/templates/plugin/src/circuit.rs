//! The circuit: the product of private numbers equals a public one.
//!
//! Nothing in this file knows of Aureole. It could be proved with stock halo2, and its verifying
//! key is the same either way.
//!
//! ```text
//!   row   running            factor   step
//!   0     1  (a constant)    f0       on      running * factor = running below
//!   1     f0                 f1       on
//!   2     f0 * f1            f2       on
//!   3     f0 * f1 * f2                off     = the public product
//! ```

use std::fmt;

use aureole_sdk::{Fp, ff::Field as _};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, Region, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Fixed, Instance, Selector,
    },
    poly::Rotation,
};

/// Knowledge of factors with a public product.
///
/// [`Value`] is an `Option` that a circuit cannot look into: that is how halo2 makes sure that a
/// layout never depends on a witness. How many factors there are is part of the layout, so it is
/// known without one.
#[derive(Clone)]
pub struct ProductCircuit {
    factors: Vec<Value<Fp>>,
}

/// The columns of [`ProductCircuit`].
#[derive(Clone, Debug)]
pub struct ProductConfig {
    running: Column<Advice>,
    factor: Column<Advice>,
    step: Selector,
    public: Column<Instance>,
}

impl ProductCircuit {
    /// The circuit for a number of factors, without a witness.
    #[must_use]
    pub fn shape(factors: usize) -> Self {
        Self {
            factors: vec![Value::unknown(); factors],
        }
    }

    /// The circuit with its witness.
    #[must_use]
    pub fn new(factors: &[Fp]) -> Self {
        Self {
            factors: factors.iter().copied().map(Value::known).collect(),
        }
    }

    /// Multiplies row by row and returns the last cell.
    fn multiply(
        &self,
        config: &ProductConfig,
        region: &mut Region<'_, Fp>,
    ) -> Result<AssignedCell<Fp, Fp>, Error> {
        // A constant is constrained; a plain `assign_advice` of 1 could be anything.
        let mut running =
            region.assign_advice_from_constant(|| "one", config.running, 0, Fp::ONE)?;
        for (row, factor) in self.factors.iter().enumerate() {
            config.step.enable(region, row)?;
            region.assign_advice(|| format!("factor {row}"), config.factor, row, || *factor)?;
            let product = running.value().copied() * factor;
            running = region.assign_advice(
                || format!("product of {}", row + 1),
                config.running,
                row + 1,
                || product,
            )?;
        }
        Ok(running)
    }
}

impl Circuit<Fp> for ProductCircuit {
    type Config = ProductConfig;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::shape(self.factors.len())
    }

    /// Describes columns and gates. It sees no witness and no parameters.
    fn configure(meta: &mut ConstraintSystem<Fp>) -> ProductConfig {
        let (running, factor) = (meta.advice_column(), meta.advice_column());
        let public = meta.instance_column();
        let constants: Column<Fixed> = meta.fixed_column();
        // Only columns with equality can be bound to constants, public inputs and other cells.
        meta.enable_equality(running);
        meta.enable_equality(public);
        meta.enable_constant(constants);

        let step = meta.selector();
        // Names are shown in reports: to you by `aureole plugin`, to callers when a witness fails.
        meta.create_gate("running product", |meta| {
            let on = meta.query_selector(step);
            let here = meta.query_advice(running, Rotation::cur());
            let factor = meta.query_advice(factor, Rotation::cur());
            let below = meta.query_advice(running, Rotation::next());
            Constraints::with_selector(on, [("running * factor = below", here * factor - below)])
        });
        ProductConfig {
            running,
            factor,
            step,
            public,
        }
    }

    /// Fills the rows: for the key with unknown values, for each proof with known ones, and the
    /// same cells both times.
    fn synthesize(
        &self,
        config: ProductConfig,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        let product = layouter.assign_region(
            || "product",
            |mut region| self.multiply(&config, &mut region),
        )?;
        // Without this line a proof would say nothing: it binds the product to the public one.
        layouter.constrain_instance(product.cell(), config.public, 0)
    }
}

// `Value` prints what it holds; a witness is private.
impl fmt::Debug for ProductCircuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProductCircuit").finish_non_exhaustive()
    }
}
