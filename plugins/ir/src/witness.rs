//! The values of one proof, in bulk.

use std::fmt;

use crate::FieldElement;

/// The denominator of one advice cell; its numerator stands in [`Witness::advice_values`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Denominator {
    /// Advice column.
    pub column: u32,
    /// Row, below the column's given rows.
    pub row: u32,
    /// The denominator; zero makes the value zero, as halo2's `Assigned` does.
    pub value: FieldElement,
}

/// Advice values and public inputs. Private: it has no `Debug` that shows a value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// For each advice column, how many rows are given, from row 0; rows after them are zero.
    pub advice_rows: Vec<u32>,
    /// 32 bytes a row, column after column: canonical little-endian elements.
    pub advice_values: Vec<u8>,
    /// Sorted by column, then row.
    pub denominators: Vec<Denominator>,
    /// 32 bytes each, in the order of the circuit's public inputs.
    pub public_inputs: Vec<u8>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness")
            .field("advice_rows", &self.advice_rows)
            .field("denominators", &self.denominators.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Denominator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denominator")
            .field("column", &self.column)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}
