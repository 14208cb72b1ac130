//! What stands in the rows whatever the input: fixed cells, selector activations and copies.

use crate::FieldElement;

/// A fixed column filled with one value from a row to the last usable row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Fixed column.
    pub column: u32,
    /// First row of the fill.
    pub from_row: u32,
    /// The value.
    pub value: FieldElement,
}

/// The value of one fixed cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedCell {
    /// Fixed column.
    pub column: u32,
    /// Row.
    pub row: u32,
    /// The value.
    pub value: FieldElement,
}

/// A selector enabled on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SelectorRow {
    /// Selector index.
    pub selector: u32,
    /// Row.
    pub row: u32,
}

/// Two cells under an equality constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Position of the left column in [`ConstraintSystem::permutation`](crate::ConstraintSystem).
    pub left_column: u32,
    /// Row of the left cell.
    pub left_row: u32,
    /// Position of the right column in the permutation.
    pub right_column: u32,
    /// Row of the right cell.
    pub right_row: u32,
}

/// The fixed layout in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Applied before `fixed_cells`. Sorted by column, each column once: halo2's layouters fill the
    /// columns of a table in no particular order.
    pub fixed_fills: Vec<Fill>,
    /// Sorted by column, then row, each cell once: the last value assigned.
    pub fixed_cells: Vec<FixedCell>,
    /// Sorted, each activation once.
    pub selector_rows: Vec<SelectorRow>,
    /// In the order the circuit made them: the permutation's cycles depend on it.
    pub copies: Vec<Copy>,
}
