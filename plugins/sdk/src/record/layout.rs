//! The recorder of a circuit's layout: what `keygen_vk` keeps.

use aureole_ir as ir;
use ff::PrimeField;
use halo2_proofs::{
    circuit::Value,
    plonk::{Advice, Any, Assigned, Column, Error, Fixed, Selector},
};
use pasta_curves::Fp;

use super::assignment::{Recorder, known};
use super::{Handles, RecordError};

/// Rows beyond which a recorder gives up.
const ROWS_MAX: usize = 1 << super::K_MAX;

pub(super) struct Layout<'a> {
    handles: &'a Handles,
    fills: Vec<(u32, u32, Assigned<Fp>)>,
    cells: Vec<(u32, u32, Assigned<Fp>)>,
    selector_rows: Vec<ir::SelectorRow>,
    copies: Vec<ir::Copy>,
    /// One more than the last row anything was done to.
    rows_used: usize,
    unknown: Option<(u32, u64)>,
}

// === impl Layout ===

impl<'a> Layout<'a> {
    pub(super) fn new(handles: &'a Handles) -> Self {
        Self {
            handles,
            fills: Vec::new(),
            cells: Vec::new(),
            selector_rows: Vec::new(),
            copies: Vec::new(),
            rows_used: 0,
            unknown: None,
        }
    }

    /// The error with what only the recorder knows.
    pub(super) fn explain(&self, error: Error) -> RecordError {
        if let Some((column, row)) = self.unknown {
            return RecordError::UnknownFixed { column, row };
        }
        if self.rows_used > ROWS_MAX {
            return RecordError::TooManyRows {
                rows_used: self.rows_used as u64,
                k_max: super::K_MAX,
            };
        }
        RecordError::Synthesis(error)
    }

    /// The layout in canonical order, and how many rows it takes.
    pub(super) fn finish(self) -> Result<(ir::Layout, u64), RecordError> {
        let Self {
            mut fills,
            mut cells,
            mut selector_rows,
            copies,
            rows_used,
            ..
        } = self;
        // Stable, so that of several values for one place the last one stays last.
        fills.sort_by_key(|(column, ..)| *column);
        cells.sort_by_key(|(column, row, _)| (*column, *row));
        selector_rows.sort_unstable();
        selector_rows.dedup();

        let mut layout = ir::Layout {
            fixed_fills: Vec::with_capacity(fills.len()),
            fixed_cells: Vec::with_capacity(cells.len()),
            selector_rows,
            copies,
        };
        for (column, from_row, value) in fills {
            layout.fixed_fills.push(ir::Fill {
                column,
                from_row,
                value: element(&value),
            });
        }
        for (column, row, value) in cells {
            let cell = ir::FixedCell {
                column,
                row,
                value: element(&value),
            };
            match layout.fixed_cells.last_mut() {
                Some(last) if (last.column, last.row) == (column, row) => *last = cell,
                _ => layout.fixed_cells.push(cell),
            }
        }
        Ok((layout, rows_used as u64))
    }

    fn row(&mut self, row: usize) -> Result<u32, Error> {
        self.rows_used = self.rows_used.max(row.saturating_add(1));
        match u32::try_from(row) {
            Ok(short) if row < ROWS_MAX => Ok(short),
            _ => Err(Error::BoundsFailure),
        }
    }

    fn column(&self, column: Column<Fixed>) -> Result<u32, Error> {
        let index = self.handles.fixed(column)?;
        u32::try_from(index).map_err(|_| Error::BoundsFailure)
    }

    fn known(
        &mut self,
        column: u32,
        row: u32,
        value: Value<Assigned<Fp>>,
    ) -> Result<Assigned<Fp>, Error> {
        let known = known(value);
        if known.is_none() {
            self.unknown = Some((column, row.into()));
        }
        known.ok_or(Error::Synthesis)
    }
}

impl Recorder for Layout<'_> {
    fn selector(&mut self, selector: &Selector, row: usize) -> Result<(), Error> {
        let row = self.row(row)?;
        let selector = self.handles.selector(selector)?;
        self.selector_rows.push(ir::SelectorRow { selector, row });
        Ok(())
    }

    fn advice(
        &mut self,
        _: Column<Advice>,
        row: usize,
        _: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        // The value is not asked for: there is none.
        self.row(row).map(|_| ())
    }

    fn fixed(
        &mut self,
        column: Column<Fixed>,
        row: usize,
        value: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        let column = self.column(column)?;
        let row = self.row(row)?;
        let value = self.known(column, row, value())?;
        self.cells.push((column, row, value));
        Ok(())
    }

    fn copy(
        &mut self,
        (left_column, left_row): (Column<Any>, usize),
        (right_column, right_row): (Column<Any>, usize),
    ) -> Result<(), Error> {
        let copy = ir::Copy {
            left_column: self.handles.permutation(left_column)?,
            left_row: self.row(left_row)?,
            right_column: self.handles.permutation(right_column)?,
            right_row: self.row(right_row)?,
        };
        self.copies.push(copy);
        Ok(())
    }

    fn fill(
        &mut self,
        column: Column<Fixed>,
        from_row: usize,
        value: Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        let column = self.column(column)?;
        let from_row = self.row(from_row)?;
        let value = self.known(column, from_row, value)?;
        // Canonically fills come before cells: a cell that this one covers is gone.
        self.cells
            .retain(|(other, row, _)| *other != column || *row < from_row);
        self.fills.push((column, from_row, value));
        Ok(())
    }
}

fn element(value: &Assigned<Fp>) -> ir::FieldElement {
    ir::FieldElement(value.evaluate().to_repr())
}
