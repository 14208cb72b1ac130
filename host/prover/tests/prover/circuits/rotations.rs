//! Rotations from -3 to 3, instance cells in a gate, a gate that is always on, and queries that
//! no polynomial uses.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, Value, floor_planner},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Error, Expression, Fixed, Instance, Selector,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::case::{Case, public_input};

pub struct Rotations;

/// Seven values whose weighted sum is a public input.
pub struct RotationsCircuit {
    pub values: [Value<Fp>; 7],
}

#[derive(Clone, Copy)]
pub struct Config {
    values: Column<Advice>,
    other: Column<Advice>,
    weights: Column<Fixed>,
    instance: Column<Instance>,
    on: Selector,
}

impl Circuit<Fp> for RotationsCircuit {
    type Config = Config;
    type FloorPlanner = floor_planner::V1;

    fn without_witnesses(&self) -> Self {
        Self {
            values: [Value::unknown(); 7],
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let config = Config {
            values: meta.advice_column(),
            other: meta.advice_column(),
            weights: meta.fixed_column(),
            instance: meta.instance_column(),
            on: meta.selector(),
        };
        meta.create_gate("weighted sum", |cells| {
            // Asked for and thrown away: it is evaluated in every proof all the same.
            let _unused = cells.query_advice(config.other, Rotation(2));
            let on = cells.query_selector(config.on);
            let sum = cells.query_instance(config.instance, Rotation(-3));
            let terms = (-3..=3).rev().map(|rotation| {
                let value = cells.query_advice(config.values, Rotation(rotation));
                value * Fp::from(u64::from(rotation.unsigned_abs()) + 1)
            });
            let total = terms.fold(Expression::Constant(Fp::zero()), |sum, term| sum + term);
            vec![on * (total - sum)]
        });
        // On in every row, the blinding ones too: the weight there is zero.
        meta.create_gate("weighted", |cells| {
            let weight = cells.query_fixed(config.weights);
            let value = cells.query_advice(config.values, Rotation::prev());
            let other = cells.query_advice(config.other, Rotation::cur());
            vec![(
                "other is twice the value above",
                weight * (value * Fp::from(2) - other),
            )]
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        layouter.assign_region(
            || "window",
            |mut region| {
                config.on.enable(&mut region, 3)?;
                for (row, value) in self.values.iter().enumerate() {
                    region.assign_advice(|| "value", config.values, row, || *value)?;
                }
                region.assign_fixed(|| "weight", config.weights, 1, || Value::known(Fp::one()))?;
                let twice = self.values[0].map(|value| value.double());
                region.assign_advice(|| "twice", config.other, 1, || twice)?;
                Ok(())
            },
        )
    }
}

impl Case for Rotations {
    type Circuit = RotationsCircuit;

    fn public_inputs() -> Vec<PublicInput> {
        vec![public_input("sum", 0, 1)]
    }

    fn empty() -> RotationsCircuit {
        RotationsCircuit {
            values: [Value::unknown(); 7],
        }
    }

    fn filled() -> (RotationsCircuit, Vec<Vec<Fp>>) {
        let values = [2, 7, 1, 8, 2, 8, 1_u64];
        let sum: u64 = values
            .iter()
            .zip([4, 3, 2, 1, 2, 3, 4])
            .map(|(v, w)| v * w)
            .sum();
        let circuit = RotationsCircuit {
            values: values.map(|value| Value::known(Fp::from(value))),
        };
        (circuit, vec![vec![Fp::from(sum)]])
    }
}
