//! Names that make a failed constraint readable; no part of the circuit or its digest.

use crate::Column;

/// Where a region stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Namespaces and region name, joined by `/`.
    pub name: String,
    /// Columns with an assigned cell or, for a selector's rows, none.
    pub columns: Vec<Column>,
    /// First row.
    pub first_row: u32,
    /// Number of rows.
    pub rows: u32,
}

/// Names of a circuit's regions, in the order they were entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// The regions.
    pub regions: Vec<Region>,
}
