//! Equality only: neither gate nor lookup nor fixed column.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Instance},
};
use pasta_curves::Fp;

use crate::case::{Case, public_input};

pub struct Copies;

/// Two cells of different columns that are equal to each other and to a public input.
pub struct CopiesCircuit {
    pub left: Value<Fp>,
    pub right: Value<Fp>,
}

impl Circuit<Fp> for CopiesCircuit {
    type Config = (Column<Advice>, Column<Advice>, Column<Instance>);
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self {
            left: Value::unknown(),
            right: Value::unknown(),
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let columns = (
            meta.advice_column(),
            meta.advice_column(),
            meta.instance_column(),
        );
        // Not in the order of allocation: the permutation keeps its own.
        meta.enable_equality(columns.2);
        meta.enable_equality(columns.1);
        meta.enable_equality(columns.0);
        columns
    }

    fn synthesize(
        &self,
        (left, right, instance): Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        let cell = layouter.assign_region(
            || "pair",
            |mut region| {
                let a = region.assign_advice(|| "left", left, 0, || self.left)?;
                let b = region.assign_advice(|| "right", right, 2, || self.right)?;
                region.constrain_equal(a.cell(), b.cell())?;
                Ok(a.cell())
            },
        )?;
        layouter.constrain_instance(cell, instance, 1)
    }
}

impl Case for Copies {
    type Circuit = CopiesCircuit;

    fn public_inputs() -> Vec<PublicInput> {
        vec![public_input("unused", 0, 1), public_input("value", 0, 1)]
    }

    fn empty() -> CopiesCircuit {
        CopiesCircuit {
            left: Value::unknown(),
            right: Value::unknown(),
        }
    }

    fn filled() -> (CopiesCircuit, Vec<Vec<Fp>>) {
        let value = Value::known(Fp::from(7));
        (
            CopiesCircuit {
                left: value,
                right: value,
            },
            vec![vec![Fp::from(3), Fp::from(7)]],
        )
    }
}
