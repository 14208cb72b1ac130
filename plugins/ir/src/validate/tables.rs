//! Lookup tables: given row by row from the first, then filled to the last usable row.
//!
//! A table that ends early would hold zeros its author never wrote, and a lookup would accept
//! them. So each column of a table has one fill, cells on every row before it and none after, as
//! halo2's own layouters make it. A column that is never loaded has neither: it holds zero and
//! nothing else, as in stock halo2. Columns of one lookup may differ in length, when each was
//! loaded with another table: then the shorter one goes on with its fill.

use std::collections::BTreeMap;

use super::rows::Rows;
use crate::refusal::{self, Refusal};
use crate::{ConstraintSystem, Layout, Query};

/// Checks the table of every lookup. The layout was checked before.
pub(super) fn check(cs: &ConstraintSystem, layout: &Layout, rows: &Rows) -> Result<(), Refusal> {
    let fills: BTreeMap<u32, u32> = layout
        .fixed_fills
        .iter()
        .map(|fill| (fill.column, fill.from_row))
        .collect();
    for (index, lookup) in cs.lookups.iter().enumerate() {
        for column in &lookup.table {
            let item = || format!("table of lookup {index}, fixed column {column}");
            let refuse = |detail: String| Err(Refusal::new(refusal::LOOKUP, item(), detail));
            if *column >= cs.fixed_columns {
                return refuse(format!(
                    "there are {} fixed columns, numbered from 0",
                    cs.fixed_columns
                ));
            }
            let query = Query {
                column: *column,
                rotation: 0,
            };
            if !cs.fixed_queries.contains(&query) {
                return refuse("a table's column must be among the fixed queries".into());
            }
            let given = rows_given(layout, *column);
            let Some(from_row) = fills.get(column).copied() else {
                if given == Some(0) {
                    continue;
                }
                return refuse(format!(
                    "the table is not filled to the last of {} usable rows; assign it with \
                     `Layouter::assign_table`",
                    rows.usable
                ));
            };
            if from_row == 0 {
                return refuse("the table is empty".into());
            }
            if given != Some(from_row) {
                return refuse(format!(
                    "the table is filled from row {from_row}, so it needs a value on every row \
                     before and none after"
                ));
            }
        }
    }
    Ok(())
}

/// How many cells a fixed column has when they are those of the first rows; the cells are sorted.
fn rows_given(layout: &Layout, column: u32) -> Option<u32> {
    let cells = &layout.fixed_cells;
    let start = cells.partition_point(|cell| cell.column < column);
    let end = cells.partition_point(|cell| cell.column <= column);
    let cells = cells.get(start..end)?;
    let given = u32::try_from(cells.len()).ok()?;
    // Sorted and each row once: the last row tells whether any is left out.
    (cells.last().map_or(0, |cell| cell.row + 1) == given).then_some(given)
}
