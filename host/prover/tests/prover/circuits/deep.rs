//! An expression as high as the limits allow: halo2 recurses over it on small stacks.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Expression, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::case::Case;

/// Nodes above the innermost one, the selector's product not counted.
const HEIGHT: u64 = 1_000;

pub struct Deep;

impl Circuit<Fp> for Deep {
    type Config = (Column<Advice>, Selector);
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let (column, on) = (meta.advice_column(), meta.selector());
        meta.create_gate("a long sum", |cells| {
            let on = cells.query_selector(on);
            let value = cells.query_advice(column, Rotation::cur());
            let next = cells.query_advice(column, Rotation::next());
            let sum = (0..HEIGHT - 2).fold(value.clone(), |sum, _| sum + value.clone());
            vec![on * (sum - Expression::Constant(Fp::one()) * next)]
        });
        (column, on)
    }

    fn synthesize(
        &self,
        (column, on): Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "sum",
            |mut region| {
                on.enable(&mut region, 0)?;
                let sum = Value::known(Fp::from(HEIGHT - 1));
                region.assign_advice(|| "one", column, 0, || Value::known(Fp::one()))?;
                region
                    .assign_advice(|| "sum", column, 1, || sum)
                    .map(|_| ())
            },
        )
    }
}

impl Case for Deep {
    type Circuit = Self;

    fn public_inputs() -> Vec<PublicInput> {
        Vec::new()
    }

    fn empty() -> Self {
        Self
    }

    fn filled() -> (Self, Vec<Vec<Fp>>) {
        (Self, Vec::new())
    }
}
