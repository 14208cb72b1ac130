//! Two lookups into one table of two columns, under a complex selector, and no gate.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, Value, floor_planner},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Error, Expression, Instance, Selector,
        TableColumn,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::case::{Case, public_input};

/// Roots 0 to 8 with their squares.
const TABLE: u64 = 9;

pub struct Lookups;

/// Proves that `square` is the square of a small root.
pub struct LookupsCircuit {
    pub root: Value<Fp>,
    pub square: Value<Fp>,
}

#[derive(Clone, Copy)]
pub struct Config {
    root: Column<Advice>,
    square: Column<Advice>,
    instance: Column<Instance>,
    on: Selector,
    roots: TableColumn,
    squares: TableColumn,
}

impl Circuit<Fp> for LookupsCircuit {
    type Config = Config;
    type FloorPlanner = floor_planner::V1;

    fn without_witnesses(&self) -> Self {
        Self {
            root: Value::unknown(),
            square: Value::unknown(),
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let config = Config {
            root: meta.advice_column(),
            square: meta.advice_column(),
            instance: meta.instance_column(),
            on: meta.complex_selector(),
            roots: meta.lookup_table_column(),
            squares: meta.lookup_table_column(),
        };
        meta.enable_equality(config.square);
        meta.enable_equality(config.instance);
        meta.lookup(|cells| {
            let on = cells.query_selector(config.on);
            let square = cells.query_advice(config.square, Rotation::next());
            let root = cells.query_advice(config.root, Rotation::cur());
            vec![
                (on.clone() * root, config.roots),
                (on * square, config.squares),
            ]
        });
        // Whatever is off looks up 4, which is in the table as well.
        meta.lookup(|cells| {
            let on = cells.query_selector(config.on);
            let root = cells.query_advice(config.root, Rotation::cur());
            let off = Expression::Constant(Fp::one()) - on.clone();
            vec![(on * root + off * Fp::from(4), config.roots)]
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        layouter.assign_table(
            || "squares",
            |mut table| {
                for row in 0..TABLE {
                    let at = usize::try_from(row).unwrap();
                    table.assign_cell(
                        || "root",
                        config.roots,
                        at,
                        || Value::known(Fp::from(row)),
                    )?;
                    let square = Value::known(Fp::from(row * row));
                    table.assign_cell(|| "square", config.squares, at, || square)?;
                }
                Ok(())
            },
        )?;
        let cell = layouter.assign_region(
            || "look up",
            |mut region| {
                config.on.enable(&mut region, 0)?;
                region.assign_advice(|| "root", config.root, 0, || self.root)?;
                let square = region.assign_advice(|| "square", config.square, 1, || self.square)?;
                Ok(square.cell())
            },
        )?;
        layouter.constrain_instance(cell, config.instance, 0)
    }
}

impl Case for Lookups {
    type Circuit = LookupsCircuit;

    fn public_inputs() -> Vec<PublicInput> {
        vec![public_input("square", 0, 1)]
    }

    fn empty() -> LookupsCircuit {
        LookupsCircuit {
            root: Value::unknown(),
            square: Value::unknown(),
        }
    }

    fn filled() -> (LookupsCircuit, Vec<Vec<Fp>>) {
        let (root, square) = (Fp::from(6), Fp::from(36));
        let circuit = LookupsCircuit {
            root: Value::known(root),
            square: Value::known(square),
        };
        (circuit, vec![vec![square]])
    }
}
