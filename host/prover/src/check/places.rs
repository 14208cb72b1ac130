//! Where a failure stands: the cells that it reads, their names, and the region around its row.

use aureole_ir::{Circuit, Column, ColumnKind, ConstraintSystem, NodeIndex, Region};
use ff::PrimeField;

use super::{cells::Cells, program, program::Outcome};
use crate::{Cell, CellValue, Place, RegionRow, Values, limits::FAILURE_CELLS_MAX};

/// A cell that was read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) column: Column,
    row: u32,
    rotation: i32,
}

// === impl Reading ===

impl Reading {
    pub(super) fn new(column: Column, row: u32) -> Self {
        Self {
            column,
            row,
            rotation: 0,
        }
    }
}

/// The cells that expressions read on a row.
pub(super) fn readings(
    system: &ConstraintSystem,
    roots: impl IntoIterator<Item = NodeIndex>,
    cells: &Cells,
    row: u32,
) -> Vec<Reading> {
    let queries = program::readings(system, roots).into_iter();
    let mut readings: Vec<Reading> = queries
        .map(|(column, rotation)| Reading {
            column,
            row: cells.rotate(row, rotation),
            rotation,
        })
        .collect();
    readings.sort_by_key(|reading| (reading.column, reading.rotation));
    readings
}

/// The cells as a report names them.
pub(super) fn describe(
    circuit: &Circuit,
    cells: &Cells,
    readings: &[Reading],
    values: Values,
) -> Vec<Cell> {
    let shown = readings.iter().take(FAILURE_CELLS_MAX);
    let described = shown.map(|reading| {
        let Reading {
            column,
            row,
            rotation,
        } = *reading;
        let place = Place::new(column, row, public_input(circuit, column, row));
        // The last rows of an advice column hold nothing until a proof blinds them.
        let held = match column.kind {
            ColumnKind::Advice => cells.advice(column.index, row),
            ColumnKind::Fixed | ColumnKind::Instance => Outcome::Value(cells.at(column, row)),
        };
        let value = match (values, held) {
            (Values::Shown, Outcome::Value(value)) => Some(CellValue::new(&value.to_repr())),
            _ => None,
        };
        Cell::new(place, rotation, value)
    });
    described.collect()
}

/// The name of the public input in an instance cell.
pub(super) fn public_input(circuit: &Circuit, column: Column, row: u32) -> Option<String> {
    if column.kind != ColumnKind::Instance {
        return None;
    }
    let mut first = 0_u32;
    for input in circuit
        .public_inputs
        .iter()
        .filter(|input| input.column == column.index)
    {
        let end = first.saturating_add(input.rows);
        if (first..end).contains(&row) {
            return Some(input.name.clone());
        }
        first = end;
    }
    None
}

/// The region that holds a row of one of the columns, as halo2's own tool finds it; a region
/// without columns has selectors only and matches by row.
pub(super) fn locate(regions: &[Region], row: u32, readings: &[Reading]) -> Option<RegionRow> {
    let holds = |region: &&Region| {
        let end = region.first_row.saturating_add(region.rows);
        (region.first_row..end).contains(&row)
            && (region.columns.is_empty()
                || region
                    .columns
                    .iter()
                    .any(|column| readings.iter().any(|r| r.column == *column)))
    };
    let exact = regions
        .iter()
        .filter(|region| !region.columns.is_empty())
        .find(holds);
    let region = exact.or_else(|| regions.iter().find(holds))?;
    let offset = row.saturating_sub(region.first_row);
    Some(RegionRow {
        name: region.name.clone(),
        offset,
    })
}

/// The region that holds a cell.
pub(super) fn locate_cell(regions: &[Region], row: u32, column: Column) -> Option<RegionRow> {
    locate(regions, row, &[Reading::new(column, row)])
}
