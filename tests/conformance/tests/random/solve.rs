//! Balances: what makes every constraint and every lookup of a spec hold.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use aureole_ir::Annotations;
use pasta_curves::Fp;

use crate::spec::{Expr, Spec};

/// All cells where the floor planner put them; what is not there is zero.
#[derive(Default)]
struct Cells {
    advice: BTreeMap<(usize, i64), Fp>,
    fixed: BTreeMap<(usize, i64), Fp>,
    on: BTreeSet<(usize, i64)>,
}

// === impl Spec ===

impl Spec {
    /// Balances of all that a selector guards.
    pub(crate) fn balances_of(&self, selector: usize) -> BTreeSet<usize> {
        let gates = self.gates.iter().filter(|gate| gate.guard == selector);
        let lookups = self
            .lookups
            .iter()
            .filter(|lookup| lookup.guard == selector);
        let gates = gates.flat_map(|gate| &gate.constraints);
        let lookups = lookups.flat_map(|lookup| &lookup.inputs);
        gates
            .chain(lookups)
            .map(|constraint| constraint.balance)
            .collect()
    }

    /// Finds the balances, given where the regions stand.
    pub(crate) fn solve(&mut self, annotations: &Annotations) -> anyhow::Result<()> {
        let mut starts = Vec::new();
        for index in 0..self.regions.len() {
            let name = format!("region {index}");
            let region = annotations
                .regions
                .iter()
                .find(|region| region.name == name);
            starts.push(i64::from(
                region.context("a region has no place")?.first_row,
            ));
        }
        let cells = self.cells(&starts);
        let mut solved = BTreeMap::new();
        for (index, region) in self.regions.iter().enumerate() {
            for (selector, offset) in &region.on {
                let row = starts[index] + *offset as i64;
                for gate in self.gates.iter().filter(|gate| gate.guard == *selector) {
                    for constraint in &gate.constraints {
                        let value = self.evaluate(&cells, &constraint.expression, row);
                        solved.insert((constraint.balance, index, *offset), value);
                    }
                }
                for lookup in self
                    .lookups
                    .iter()
                    .filter(|lookup| lookup.guard == *selector)
                {
                    let rows = &self.tables[lookup.table].rows;
                    let wanted = &rows[(row as usize + lookup.table) % rows.len()];
                    for (column, input) in lookup.inputs.iter().enumerate() {
                        let value = self.evaluate(&cells, &input.expression, row);
                        let value = value + rows[0][column] - wanted[column];
                        solved.insert((input.balance, index, *offset), value);
                    }
                }
            }
        }
        self.solved = solved;
        Ok(())
    }

    fn cells(&self, starts: &[i64]) -> Cells {
        let mut cells = Cells::default();
        for (region, start) in self.regions.iter().zip(starts) {
            let row = |offset: usize| start + offset as i64;
            let advice = region.cells.iter();
            cells
                .advice
                .extend(advice.map(|it| ((it.column, row(it.offset)), it.value)));
            let fixed = region.fixed.iter();
            cells
                .fixed
                .extend(fixed.map(|(column, at, value)| ((*column, row(*at)), *value)));
            cells
                .on
                .extend(region.on.iter().map(|(selector, at)| (*selector, row(*at))));
        }
        cells
    }

    fn evaluate(&self, cells: &Cells, expr: &Expr, row: i64) -> Fp {
        let or_zero = |value: Option<&Fp>| value.copied().unwrap_or(Fp::zero());
        let of = |expr: &Expr| self.evaluate(cells, expr, row);
        match expr {
            Expr::Constant(value) => *value,
            Expr::Advice(column, at) => or_zero(cells.advice.get(&(*column, row + i64::from(*at)))),
            Expr::Fixed(column) => or_zero(cells.fixed.get(&(*column, row))),
            Expr::Instance(column, at) => {
                let row = usize::try_from(row + i64::from(*at)).unwrap_or(usize::MAX);
                or_zero(self.instance[*column].get(row))
            }
            Expr::Selector(selector) => Fp::from(u64::from(cells.on.contains(&(*selector, row)))),
            Expr::Negated(inner) => -of(inner),
            Expr::Sum(left, right) => of(left) + of(right),
            Expr::Product(left, right) => of(left) * of(right),
            Expr::Scaled(inner, by) => of(inner) * by,
        }
    }
}
