//! Fixed cells, fills, selector activations and copies: in range, in order, in usable rows.

use super::count;
use super::rows::Rows;
use crate::refusal::{self, Refusal};
use crate::{Circuit, Field, FieldElement, Layout, Limits};

/// Checks the layout against the columns and the rows.
pub(super) fn check(circuit: &Circuit, rows: &Rows, limits: &Limits) -> Result<(), Refusal> {
    let layout = &circuit.layout;
    let counts = [
        (
            "fixed cells",
            count(&layout.fixed_cells),
            limits.fixed_cells_max,
        ),
        (
            "selector activations",
            count(&layout.selector_rows),
            limits.selector_rows_max,
        ),
        ("copies", count(&layout.copies), limits.copies_max),
    ];
    for (item, value, limit) in counts {
        if value > limit {
            return Err(Refusal::above(
                refusal::SIZE,
                item,
                value.into(),
                limit.into(),
            ));
        }
    }
    fills(circuit, rows)?;
    fixed_cells(circuit, rows)?;
    selector_rows(circuit, rows)?;
    copies(circuit, rows)
}

/// One more than the last row in use.
pub(super) fn rows_used(layout: &Layout, instance_lengths: &[u32]) -> u32 {
    let cells = layout.fixed_cells.iter().map(|cell| cell.row + 1);
    let selectors = layout.selector_rows.iter().map(|cell| cell.row + 1);
    let copies = layout
        .copies
        .iter()
        .map(|copy| copy.left_row.max(copy.right_row) + 1);
    cells
        .chain(selectors)
        .chain(copies)
        .chain(instance_lengths.iter().copied())
        .max()
        .unwrap_or(0)
}

fn fills(circuit: &Circuit, rows: &Rows) -> Result<(), Refusal> {
    let columns = circuit.constraint_system.fixed_columns;
    let mut before = None;
    for fill in &circuit.layout.fixed_fills {
        let item = || format!("fill of fixed column {}", fill.column);
        if fill.column >= columns {
            return Err(no_column(item(), columns));
        }
        usable(refusal::LAYOUT, item, fill.from_row, rows)?;
        // A column holds one table, so one fill.
        in_order(item, &mut before, (fill.column, 0))?;
        canonical(circuit.field, item, &fill.value)?;
    }
    Ok(())
}

fn fixed_cells(circuit: &Circuit, rows: &Rows) -> Result<(), Refusal> {
    let columns = circuit.constraint_system.fixed_columns;
    let mut before = None;
    for cell in &circuit.layout.fixed_cells {
        let item = || format!("fixed cell at column {}, row {}", cell.column, cell.row);
        if cell.column >= columns {
            return Err(no_column(item(), columns));
        }
        usable(refusal::LAYOUT, item, cell.row, rows)?;
        in_order(item, &mut before, (cell.column, cell.row))?;
        canonical(circuit.field, item, &cell.value)?;
    }
    Ok(())
}

fn selector_rows(circuit: &Circuit, rows: &Rows) -> Result<(), Refusal> {
    let selectors = count(&circuit.constraint_system.selectors);
    let mut before = None;
    for cell in &circuit.layout.selector_rows {
        let item = || format!("selector {} at row {}", cell.selector, cell.row);
        if cell.selector >= selectors {
            return Err(Refusal::new(
                refusal::SELECTOR,
                item(),
                format!("there are {selectors} selectors, numbered from 0"),
            ));
        }
        usable(refusal::LAYOUT, item, cell.row, rows)?;
        in_order(item, &mut before, (cell.selector, cell.row))?;
    }
    Ok(())
}

/// An instance cell that no public input names may be copied as well: it holds zero in every
/// proof, as in stock halo2 when a verifier gives no more values.
fn copies(circuit: &Circuit, rows: &Rows) -> Result<(), Refusal> {
    let permutation = &circuit.constraint_system.permutation;
    for (index, copy) in circuit.layout.copies.iter().enumerate() {
        let sides = [
            ("left", copy.left_column, copy.left_row),
            ("right", copy.right_column, copy.right_row),
        ];
        for (side, position, row) in sides {
            let item = || format!("{side} side of copy {index}");
            if permutation.get(position as usize).is_none() {
                return Err(Refusal::new(
                    refusal::COPY,
                    item(),
                    format!(
                        "column {position} of the permutation does not exist; it has {}",
                        permutation.len()
                    ),
                ));
            }
            usable(refusal::COPY, item, row, rows)?;
        }
    }
    Ok(())
}

fn usable(
    code: &'static str,
    item: impl Fn() -> String,
    row: u32,
    rows: &Rows,
) -> Result<(), Refusal> {
    if row < rows.usable {
        return Ok(());
    }
    Err(Refusal::new(
        code,
        item(),
        format!(
            "row {row} is beyond the {} usable rows; the rest of the {} rows blind the proof",
            rows.usable, rows.all
        ),
    ))
}

fn in_order(
    item: impl Fn() -> String,
    before: &mut Option<(u32, u32)>,
    place: (u32, u32),
) -> Result<(), Refusal> {
    if before.is_some_and(|before| before >= place) {
        return Err(Refusal::new(
            refusal::LAYOUT,
            item(),
            "the list must be sorted and name each place once",
        ));
    }
    *before = Some(place);
    Ok(())
}

fn canonical(field: Field, item: impl Fn() -> String, value: &FieldElement) -> Result<(), Refusal> {
    if value.is_canonical(field) {
        return Ok(());
    }
    Err(Refusal::new(
        refusal::NON_CANONICAL,
        item(),
        "the value is not below the field's modulus",
    ))
}

fn no_column(item: String, columns: u32) -> Refusal {
    Refusal::new(
        refusal::COLUMN,
        item,
        format!("there are {columns} fixed columns, numbered from 0"),
    )
}
