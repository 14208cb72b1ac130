//! A circuit of any size: blocks of a decomposition by lookup and a sum, over a table.

use aureole_ir::{Annotations, CheckedCircuit, Limits};
use aureole_sdk::{K, PublicInput, record};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Instance, Selector,
        TableColumn,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

/// How large.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    pub(crate) blocks: u32,
    /// Pairs of advice columns beside the first.
    pub(crate) lanes: usize,
    pub(crate) table_rows: u64,
}

#[derive(Clone)]
pub(crate) struct Config {
    advice: Vec<Column<Advice>>,
    sum: Selector,
    limbs: Selector,
    table: TableColumn,
    public: Column<Instance>,
}

impl Circuit<Fp> for Blocks {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let lanes = LANES.with(std::cell::Cell::get);
        let advice: Vec<_> = (0..=2 * lanes).map(|_| meta.advice_column()).collect();
        let public = meta.instance_column();
        meta.enable_equality(public);
        meta.enable_equality(advice[0]);
        let constants = meta.fixed_column();
        meta.enable_constant(constants);
        let (sum, limbs) = (meta.selector(), meta.complex_selector());
        let table = meta.lookup_table_column();
        meta.create_gate("sum", |cells| {
            let on = cells.query_selector(sum);
            let total = cells.query_advice(advice[0], Rotation::cur());
            let next = cells.query_advice(advice[0], Rotation::next());
            let parts = advice[1..]
                .iter()
                .map(|column| cells.query_advice(*column, Rotation::cur()));
            let parts = parts.reduce(|a, b| a + b).unwrap();
            Constraints::with_selector(on, [("running", next - total - parts)])
        });
        meta.lookup(|cells| {
            let on = cells.query_selector(limbs);
            vec![(on * cells.query_advice(advice[1], Rotation::cur()), table)]
        });
        Config {
            advice,
            sum,
            limbs,
            table,
            public,
        }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        layouter.assign_table(
            || "small numbers",
            |mut table| {
                (0..self.table_rows).try_for_each(|row| {
                    let value = || Value::known(Fp::from(row));
                    table.assign_cell(|| "", config.table, row as usize, value)
                })
            },
        )?;
        let mut last: Option<AssignedCell<Fp, Fp>> = None;
        for block in 0..self.blocks {
            let mut space = layouter.namespace(|| format!("block {block}"));
            for lane in 0..2 {
                space.assign_region(
                    || ["decompose", "mix"][lane],
                    |mut region| {
                        for row in 0..6 + 5 * lane {
                            config.limbs.enable(&mut region, row)?;
                            for column in &config.advice[1 + lane..] {
                                region.assign_advice(
                                    || "",
                                    *column,
                                    row,
                                    || Value::known(Fp::zero()),
                                )?;
                            }
                        }
                        Ok(())
                    },
                )?;
            }
            last = Some(space.assign_region(
                || "running sum",
                |mut region| {
                    config.sum.enable(&mut region, 0)?;
                    for column in &config.advice[1..] {
                        region.assign_advice(|| "", *column, 0, || Value::known(Fp::zero()))?;
                    }
                    match &last {
                        Some(last) => last.copy_advice(|| "", &mut region, config.advice[0], 0)?,
                        None => region.assign_advice_from_constant(
                            || "",
                            config.advice[0],
                            0,
                            Fp::zero(),
                        )?,
                    };
                    region.assign_advice(|| "", config.advice[0], 1, || Value::known(Fp::zero()))
                },
            )?);
        }
        match last {
            Some(last) => layouter.constrain_instance(last.cell(), config.public, 0),
            None => Ok(()),
        }
    }
}

thread_local! {
    static LANES: std::cell::Cell<usize> = const { std::cell::Cell::new(1) };
}

/// The circuit and the names of its regions.
pub(crate) fn blocks(blocks: Blocks) -> (CheckedCircuit, Annotations) {
    LANES.with(|lanes| lanes.set(blocks.lanes));
    let inputs = vec![PublicInput::new("total", 0, 1)];
    let circuit = record::circuit(&blocks, K::Auto, inputs).unwrap();
    let limits = Limits {
        k_max: 18,
        ..Limits::default()
    };
    (
        circuit.check(&limits).unwrap(),
        record::annotations(&blocks).unwrap(),
    )
}
