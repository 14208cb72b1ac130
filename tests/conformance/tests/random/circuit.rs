//! A spec as its author would have written it: an ordinary circuit for either floor planner.

use std::{cell::RefCell, marker::PhantomData, sync::Arc};

use halo2_proofs::{
    circuit::{self, Layouter, Value},
    plonk::{
        Advice, Assigned, Circuit, Column, ConstraintSystem, Error, Expression, Fixed,
        FloorPlanner, Instance, Selector, TableColumn, VirtualCells,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::spec::{Expr, Region, Spec, Step};

thread_local! {
    static SPEC: RefCell<Option<Spec>> = const { RefCell::new(None) };
}

/// Runs with the spec in reach of `configure`, which is static.
pub(crate) fn with_spec<T>(spec: &Spec, run: impl FnOnce() -> T) -> T {
    SPEC.set(Some(spec.clone()));
    run()
}

/// The circuit of a spec.
#[derive(Debug)]
pub(crate) struct Made<P> {
    spec: Arc<Spec>,
    known: bool,
    planner: PhantomData<P>,
}

/// Its columns.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    advice: Vec<Column<Advice>>,
    /// Those that expressions read, two for constants, balances.
    fixed: Vec<Column<Fixed>>,
    balances: Vec<Column<Fixed>>,
    instance: Vec<Column<Instance>>,
    selectors: Vec<Selector>,
    tables: Vec<Vec<TableColumn>>,
}

// === impl Made ===

impl<P> Made<P> {
    pub(crate) fn new(spec: Arc<Spec>, known: bool) -> Self {
        Self {
            spec,
            known,
            planner: PhantomData,
        }
    }

    fn value(&self, value: Fp, over: Option<Fp>) -> Value<Assigned<Fp>> {
        if !self.known {
            return Value::unknown();
        }
        Value::known(match over {
            Some(over) => Assigned::Rational(value * over, over),
            None => Assigned::Trivial(value),
        })
    }

    fn assign(
        &self,
        config: &Config,
        index: usize,
        region: &Region,
        before: &[Vec<circuit::Cell>],
        cells: &mut circuit::Region<'_, Fp>,
    ) -> Result<Vec<circuit::Cell>, Error> {
        for (column, offset, value) in &region.fixed {
            let value = || Value::known(*value);
            cells.assign_fixed(|| "fixed", config.fixed[*column], *offset, value)?;
        }
        for (selector, offset) in &region.on {
            config.selectors[*selector].enable(cells, *offset)?;
            for balance in self.spec.balances_of(*selector) {
                let solved = self.spec.solved.get(&(balance, index, *offset)).copied();
                let value = || Value::known(solved.unwrap_or(Fp::zero()));
                cells.assign_fixed(|| "balance", config.balances[balance], *offset, value)?;
            }
        }
        let mut assigned = Vec::new();
        for cell in &region.cells {
            let column = config.advice[cell.column];
            let value = || self.value(cell.value, cell.over);
            let placed = cells.assign_advice(|| "cell", column, cell.offset, value)?;
            if cell.constant {
                cells.constrain_constant(placed.cell(), cell.value)?;
            }
            assigned.push(placed.cell());
        }
        for (left, right) in &self.spec.copies {
            if left.0.max(right.0) == index {
                let cell = |(region, cell): (usize, usize)| match region == index {
                    true => assigned[cell],
                    false => before[region][cell],
                };
                cells.constrain_equal(cell(*left), cell(*right))?;
            }
        }
        Ok(assigned)
    }
}

impl<P: FloorPlanner> Circuit<Fp> for Made<P> {
    type Config = Config;
    type FloorPlanner = P;

    fn without_witnesses(&self) -> Self {
        Self::new(Arc::clone(&self.spec), false)
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        SPEC.with_borrow(|spec| configure(spec.as_ref().unwrap(), meta))
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        for (table, columns) in self.spec.tables.iter().zip(&config.tables) {
            if !table.loaded {
                continue;
            }
            layouter.assign_table(
                || "table",
                |mut cells| {
                    for (offset, row) in table.rows.iter().enumerate() {
                        for (column, value) in columns.iter().zip(row) {
                            let value = || Value::known(*value);
                            cells.assign_cell(|| "cell", *column, offset, value)?;
                        }
                    }
                    Ok(())
                },
            )?;
        }
        let mut assigned = Vec::new();
        for (index, region) in self.spec.regions.iter().enumerate() {
            let before = &assigned;
            let cells = layouter.assign_region(
                || format!("region {index}"),
                |mut cells| self.assign(&config, index, region, before, &mut cells),
            )?;
            assigned.push(cells);
        }
        for ((region, cell), column, row) in &self.spec.exposed {
            layouter.constrain_instance(
                assigned[*region][*cell],
                config.instance[*column],
                *row,
            )?;
        }
        Ok(())
    }
}

fn configure(spec: &Spec, meta: &mut ConstraintSystem<Fp>) -> Config {
    let selector = |meta: &mut ConstraintSystem<Fp>, simple: &bool| match simple {
        true => meta.selector(),
        false => meta.complex_selector(),
    };
    let instance = spec
        .instance
        .iter()
        .map(|_| meta.instance_column())
        .collect();
    let fixed = (0..spec.fixed + 2).map(|_| meta.fixed_column()).collect();
    let tables = spec.tables.iter();
    let tables = tables.map(|table| {
        (0..table.columns)
            .map(|_| meta.lookup_table_column())
            .collect()
    });
    let tables = tables.collect();
    let config = Config {
        advice: (0..spec.advice).map(|_| meta.advice_column()).collect(),
        fixed,
        balances: (0..spec.balances).map(|_| meta.fixed_column()).collect(),
        instance,
        selectors: spec
            .selectors
            .iter()
            .map(|simple| selector(meta, simple))
            .collect(),
        tables,
    };
    for step in &spec.steps {
        config.step(spec, step, meta);
    }
    if let Some(degree) = spec.minimum_degree {
        meta.set_minimum_degree(degree);
    }
    config
}

// === impl Config ===

impl Config {
    fn step(&self, spec: &Spec, step: &Step, meta: &mut ConstraintSystem<Fp>) {
        match step {
            Step::Gate(gate) => {
                let gate = &spec.gates[*gate];
                meta.create_gate("gate", |cells| {
                    let guard = cells.query_selector(self.selectors[gate.guard]);
                    let mut polynomials = Vec::new();
                    for constraint in &gate.constraints {
                        let inner = self.expression(&constraint.expression, cells);
                        let inner = inner - cells.query_fixed(self.balances[constraint.balance]);
                        polynomials.push(match gate.guard_last {
                            true => inner * guard.clone(),
                            false => guard.clone() * inner,
                        });
                    }
                    polynomials
                });
            }
            Step::Lookup(lookup) => {
                let lookup = &spec.lookups[*lookup];
                let table = &spec.tables[lookup.table];
                meta.lookup(|cells| {
                    let guard = cells.query_selector(self.selectors[lookup.guard]);
                    let mut pairs = Vec::new();
                    for (column, input) in lookup.inputs.iter().enumerate() {
                        let inner = self.expression(&input.expression, cells);
                        let inner = inner - cells.query_fixed(self.balances[input.balance]);
                        let default = Expression::Constant(table.rows[0][column]);
                        let input = guard.clone() * inner + default;
                        pairs.push((input, self.tables[lookup.table][column]));
                    }
                    pairs
                });
            }
            Step::EqualAdvice(column) => meta.enable_equality(self.advice[*column]),
            Step::EqualFixed(column) => meta.enable_equality(self.fixed[*column]),
            Step::EqualInstance(column) => meta.enable_equality(self.instance[*column]),
            Step::Constants(column) => meta.enable_constant(self.fixed[*column]),
            Step::Query(column, at) => {
                meta.create_gate("a query that nothing uses", |cells| {
                    cells.query_advice(self.advice[*column], Rotation(*at));
                    let zero = Expression::Constant(Fp::zero());
                    vec![zero]
                });
            }
        }
    }

    fn expression(&self, expr: &Expr, cells: &mut VirtualCells<'_, Fp>) -> Expression<Fp> {
        match expr {
            Expr::Constant(value) => Expression::Constant(*value),
            Expr::Advice(column, at) => cells.query_advice(self.advice[*column], Rotation(*at)),
            Expr::Fixed(column) => cells.query_fixed(self.fixed[*column]),
            Expr::Instance(column, at) => {
                cells.query_instance(self.instance[*column], Rotation(*at))
            }
            Expr::Selector(selector) => cells.query_selector(self.selectors[*selector]),
            Expr::Negated(of) => -self.expression(of, cells),
            Expr::Sum(left, right) => self.expression(left, cells) + self.expression(right, cells),
            Expr::Product(left, right) => {
                self.expression(left, cells) * self.expression(right, cells)
            }
            Expr::Scaled(of, by) => self.expression(of, cells) * *by,
        }
    }
}
