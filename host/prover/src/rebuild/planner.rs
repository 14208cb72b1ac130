//! A floor planner that plans nothing: every cell's place was recorded.

use std::any::Any;

use aureole_ir::{Copy, Layout};
use ff::Field;
use halo2_proofs::{
    circuit::Value,
    plonk::{self, Assigned, Assignment, Circuit, Column, Fixed, FloorPlanner},
};
use pasta_curves::Fp;

use super::{Description, current};
use crate::{Error, values};

/// Writes a job's cells straight into halo2's assignment.
#[derive(Debug)]
pub(crate) struct DirectPlanner;

/// A recorded layout with its values parsed.
#[derive(Debug)]
pub(crate) struct FixedLayout {
    fills: Vec<(u32, u32)>,
    fill_values: Vec<Fp>,
    cells: Vec<(u32, u32)>,
    cell_values: Vec<Fp>,
    selector_rows: Vec<(u32, u32)>,
    copies: Vec<Copy>,
}

// === impl FixedLayout ===

impl FixedLayout {
    /// Copies and parses a checked circuit's layout.
    pub(crate) fn new(layout: &Layout) -> Result<Self, Error> {
        let parse = |what, values: &mut dyn Iterator<Item = &aureole_ir::FieldElement>| {
            values
                .enumerate()
                .map(|(index, value)| {
                    values::element(value).ok_or(Error::NonCanonical { what, index })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            fills: layout
                .fixed_fills
                .iter()
                .map(|fill| (fill.column, fill.from_row))
                .collect(),
            fill_values: parse(
                "the fills",
                &mut layout.fixed_fills.iter().map(|f| &f.value),
            )?,
            cells: layout
                .fixed_cells
                .iter()
                .map(|cell| (cell.column, cell.row))
                .collect(),
            cell_values: parse(
                "the fixed cells",
                &mut layout.fixed_cells.iter().map(|c| &c.value),
            )?,
            selector_rows: layout
                .selector_rows
                .iter()
                .map(|s| (s.selector, s.row))
                .collect(),
            copies: layout.copies.clone(),
        })
    }

    fn assign<F: Field, CS: Assignment<F>>(
        &self,
        cs: &mut CS,
        description: &Description,
    ) -> Result<(), plonk::Error> {
        let fixed = |column: u32| -> Result<Column<Fixed>, plonk::Error> {
            description
                .fixed
                .get(column as usize)
                .copied()
                .ok_or(plonk::Error::BoundsFailure)
        };
        for ((column, row), value) in self.fills.iter().zip(typed::<F>(&self.fill_values)?) {
            let value = Value::known(Assigned::Trivial(*value));
            cs.fill_from_row(fixed(*column)?, *row as usize, value)?;
        }
        for ((column, row), value) in self.cells.iter().zip(typed::<F>(&self.cell_values)?) {
            cs.assign_fixed(
                || "",
                fixed(*column)?,
                *row as usize,
                || Value::known(*value),
            )?;
        }
        for (selector, row) in &self.selector_rows {
            let selector = description.selectors.get(*selector as usize);
            let selector = selector.ok_or(plonk::Error::BoundsFailure)?;
            cs.enable_selector(|| "", selector, *row as usize)?;
        }
        for copy in &self.copies {
            let column = |index: u32| {
                let column = description.permutation.get(index as usize).copied();
                column.ok_or(plonk::Error::BoundsFailure)
            };
            cs.copy(
                column(copy.left_column)?,
                copy.left_row as usize,
                column(copy.right_column)?,
                copy.right_row as usize,
            )?;
        }
        Ok(())
    }
}

/// The values as the planner's field, which is always the one they were parsed in.
#[expect(
    clippy::ptr_arg,
    reason = "the downcast is of the `Vec`: a slice is not `Any`"
)]
fn typed<F: Field>(values: &Vec<Fp>) -> Result<&Vec<F>, plonk::Error> {
    (values as &dyn Any)
        .downcast_ref()
        .ok_or(plonk::Error::Synthesis)
}

// === impl DirectPlanner ===

impl FloorPlanner for DirectPlanner {
    fn synthesize<F: Field, CS: Assignment<F>, C: Circuit<F>>(
        cs: &mut CS,
        _circuit: &C,
        _config: C::Config,
        _constants: Vec<Column<Fixed>>,
    ) -> Result<(), plonk::Error> {
        let job = current().ok_or(plonk::Error::Synthesis)?;
        // One region for everything: only the mock prover looks, and it wants selectors in one.
        cs.enter_region(|| "circuit");
        if let Some(columns) = job.advice.take() {
            for (column, values) in job.description.advice.iter().zip(columns) {
                for (row, value) in typed::<F>(&values)?.iter().enumerate() {
                    cs.assign_advice(|| "", *column, row, || Value::known(*value))?;
                }
            }
        }
        if let Some(layout) = &job.layout {
            layout.assign(cs, &job.description)?;
        }
        cs.exit_region();
        Ok(())
    }
}
