//! A circuit whose size is a parameter of the run: the same shape, another layout, another k.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Instance, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::case::{Case, public_input};

pub struct Series<const LENGTH: usize>;

/// Each row's value is the sum of the two above.
pub struct SeriesCircuit {
    pub length: usize,
    pub start: Value<Fp>,
}

#[derive(Clone, Copy)]
pub struct Config {
    column: Column<Advice>,
    instance: Column<Instance>,
    on: Selector,
}

impl Circuit<Fp> for SeriesCircuit {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self {
            length: self.length,
            start: Value::unknown(),
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let config = Config {
            column: meta.advice_column(),
            instance: meta.instance_column(),
            on: meta.selector(),
        };
        meta.enable_equality(config.column);
        meta.enable_equality(config.instance);
        meta.create_gate("next of the series", |cells| {
            let on = cells.query_selector(config.on);
            let a = cells.query_advice(config.column, Rotation(-2));
            let b = cells.query_advice(config.column, Rotation::prev());
            let c = cells.query_advice(config.column, Rotation::cur());
            vec![("sum", on * (a + b - c))]
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        let last = layouter.namespace(|| "fibonacci").assign_region(
            || "series",
            |mut region| {
                let (mut above, mut value) = (Value::known(Fp::one()), self.start);
                region.assign_advice(|| "one", config.column, 0, || above)?;
                let mut cell = region.assign_advice(|| "start", config.column, 1, || value)?;
                for row in 2..self.length {
                    (above, value) = (value, above + value);
                    config.on.enable(&mut region, row)?;
                    cell = region.assign_advice(|| "sum", config.column, row, || value)?;
                }
                Ok(cell.cell())
            },
        )?;
        layouter.constrain_instance(last, config.instance, 0)
    }
}

/// What the series arrives at.
pub fn last(length: usize, start: Fp) -> Fp {
    let (mut above, mut value) = (Fp::one(), start);
    for _ in 2..length {
        (above, value) = (value, above + value);
    }
    value
}

impl<const LENGTH: usize> Case for Series<LENGTH> {
    type Circuit = SeriesCircuit;

    fn public_inputs() -> Vec<PublicInput> {
        vec![public_input("last", 0, 1)]
    }

    fn empty() -> SeriesCircuit {
        SeriesCircuit {
            length: LENGTH,
            start: Value::unknown(),
        }
    }

    fn filled() -> (SeriesCircuit, Vec<Vec<Fp>>) {
        let start = Fp::from(4);
        let circuit = SeriesCircuit {
            length: LENGTH,
            start: Value::known(start),
        };
        (circuit, vec![vec![last(LENGTH, start)]])
    }
}
