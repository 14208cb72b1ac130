//! A check of an input against a circuit: what does not hold, by name, region, row and cell.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Asks whether an input satisfies a circuit, without proving anything.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// The input.
    pub input: Value,
    /// Whether the report shows what cells hold. The values follow from the input, which whoever
    /// asks has; they are neither logged nor kept.
    #[serde(default)]
    pub reveal: bool,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// Whether a proof could be made.
    pub satisfied: bool,
    /// Stable code of the first failure: `witness.unsatisfied`, `witness.lookup`,
    /// `witness.shape`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What does not hold, the first sixteen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// A constraint, lookup or copy that does not hold, on one or more rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// `constraint`, `unusable_row`, `lookup`, `copy` or `malformed`.
    pub fault: String,
    /// In one sentence, without a value.
    pub message: String,
    /// Index of the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<u32>,
    /// The author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_name: Option<String>,
    /// Index of the constraint within its gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<u32>,
    /// The author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint_name: Option<String>,
    /// Index of the lookup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<u32>,
    /// The first row on which it does not hold.
    pub row: u32,
    /// On how many rows.
    pub rows: u32,
    /// The region around that row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The cells that are read there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Cell>,
}

/// A row of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Region {
    /// Namespaces and name, joined by `/`.
    pub name: String,
    /// Rows from its first.
    pub offset: u32,
}

/// A cell of a failure. Its `Debug` form hides the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cell {
    /// As in formulas: `a0`, `f1[+1]`.
    pub name: String,
    /// `advice`, `fixed` or `instance`.
    pub kind: String,
    /// Index among the columns of the kind.
    pub column: u32,
    /// Row.
    pub row: u32,
    /// The public input it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_input: Option<String>,
    /// What it holds, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl fmt::Debug for CheckRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckRequest")
            .field("reveal", &self.reveal)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell")
            .field("name", &self.name)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}
