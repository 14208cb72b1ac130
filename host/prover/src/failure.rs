//! Why a witness does not satisfy its circuit, in the author's names.
//!
//! Values are there only where [`explain`](crate::explain) was told to show them, and even then
//! no `Debug` or `Display` form holds one: they leave by serialization alone.

use std::fmt;

use aureole_ir::{Column, ColumnKind};
use serde::{Deserialize, Serialize};

/// A witness does not satisfy its circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Unsatisfied {
    /// The first failures, at least one, in the order gates, lookups, copies.
    pub failures: Vec<Failure>,
    /// How many more there are.
    pub more: u64,
}

/// One constraint, lookup or copy that fails, on one or more rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What fails.
    #[serde(flatten)]
    pub fault: Fault,
    /// The first row on which it fails.
    pub row: u32,
    /// On how many rows.
    pub rows: u32,
    /// Where the row stands, if the regions' names were asked for and one holds it.
    pub region: Option<RegionRow>,
    /// The cells that are read on that first row, at most
    /// [`FAILURE_CELLS_MAX`](crate::FAILURE_CELLS_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Cell>,
}

/// A cell that a failing constraint, lookup or copy reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Which.
    #[serde(flatten)]
    pub place: Place,
    /// How it is called in a formula: `a0`, `f1`, `i0`, with `[+1]` for the row below.
    pub name: String,
    /// What it holds. Absent unless values were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<CellValue>,
}

/// A value of a witness, `0x` and hex digits, big-endian. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellValue(String);

/// Whether a report shows what cells hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Names and places only.
    Hidden,
    /// Values too: for whoever gave the input, and never for a log or a disk.
    Shown,
}

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// A polynomial of a gate is not zero.
    Constraint {
        /// Index of the gate.
        gate: u32,
        /// The author's name for it.
        gate_name: String,
        /// Index within the gate.
        constraint: u32,
        /// The author's name for it; may be empty.
        constraint_name: String,
    },
    /// A polynomial of a gate reads a row that holds random values in a proof: a selector is
    /// missing, or enabled too close to the end.
    UnusableRow {
        /// Index of the gate.
        gate: u32,
        /// The author's name for it.
        gate_name: String,
        /// Index within the gate.
        constraint: u32,
        /// The author's name for it; may be empty.
        constraint_name: String,
    },
    /// An input is not in the table.
    Lookup {
        /// Index of the lookup.
        lookup: u32,
    },
    /// Two cells that must be equal are not.
    Copy {
        /// One cell.
        left: Place,
        /// The other.
        right: Place,
    },
    /// The witness cannot be looked at: its shape is wrong.
    Malformed {
        /// Stable code of the refusal.
        code: String,
        /// What and where.
        detail: String,
    },
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `advice`, `fixed` or `instance`.
    pub kind: String,
    /// Index of the column among those of its kind.
    pub column: u32,
    /// Row.
    pub row: u32,
    /// The public input that the cell holds, for an instance cell.
    pub public_input: Option<String>,
}

/// A row of a named region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionRow {
    /// Namespaces and region, joined by `/`.
    pub name: String,
    /// Rows from the region's first.
    pub offset: u32,
}

// === impl Unsatisfied ===

impl Unsatisfied {
    fn summary(&self) -> String {
        let first = self
            .failures
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let others = self.more.saturating_add(
            self.failures
                .len()
                .saturating_sub(1)
                .try_into()
                .unwrap_or(u64::MAX),
        );
        match others {
            0 => format!("witness does not satisfy the circuit: {first}"),
            others => format!("witness does not satisfy the circuit: {first}; and {others} more"),
        }
    }
}

// === impl Cell ===

impl Cell {
    pub(crate) fn new(place: Place, rotation: i32, value: Option<CellValue>) -> Self {
        let kind = place.kind.chars().next().unwrap_or('?');
        let column = place.column;
        let name = match rotation {
            0 => format!("{kind}{column}"),
            rotation => format!("{kind}{column}[{rotation:+}]"),
        };
        Self { place, name, value }
    }
}

// === impl CellValue ===

impl CellValue {
    /// From canonical little-endian bytes; small values have few digits.
    pub(crate) fn new(little_endian: &[u8; 32]) -> Self {
        let digits: String = little_endian
            .iter()
            .rev()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let digits = digits.trim_start_matches('0');
        Self(format!(
            "0x{}",
            if digits.is_empty() { "0" } else { digits }
        ))
    }

    /// The value as text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CellValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

// === impl Failure ===

impl Failure {
    /// A failure before anybody looked where it stands.
    pub(crate) fn new(fault: Fault, row: u32, rows: u32) -> Self {
        Self {
            fault,
            row,
            rows,
            region: None,
            cells: Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if matches!(self.fault, Fault::Malformed { .. }) {
            return Ok(());
        }
        match &self.region {
            Some(region) => write!(f, " at {} offset {}", region.name, region.offset)?,
            None => write!(f, " at row {}", self.row)?,
        }
        match self.rows.saturating_sub(1) {
            0 => Ok(()),
            others => write!(f, " and {others} more rows"),
        }
    }
}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>, gate: &u32, name: &str, index: &u32, of: &str| {
            write!(f, "gate {gate} '{name}' constraint {index}")?;
            if of.is_empty() {
                Ok(())
            } else {
                write!(f, " '{of}'")
            }
        };
        match self {
            Self::Constraint {
                gate,
                gate_name,
                constraint,
                constraint_name,
            } => {
                named(f, gate, gate_name, constraint, constraint_name)?;
                f.write_str(" is not zero")
            }
            Self::UnusableRow {
                gate,
                gate_name,
                constraint,
                constraint_name,
            } => {
                named(f, gate, gate_name, constraint, constraint_name)?;
                f.write_str(" reads a row that blinds the proof, is a selector missing?")
            }
            Self::Lookup { lookup } => write!(f, "lookup {lookup} has an input outside its table"),
            Self::Copy { left, right } => write!(f, "{left} does not equal {right}"),
            Self::Malformed { detail, .. } => f.write_str(detail),
        }
    }
}

// === impl Place ===

impl Place {
    pub(crate) fn new(column: Column, row: u32, public_input: Option<String>) -> Self {
        let kind = match column.kind {
            ColumnKind::Advice => "advice",
            ColumnKind::Fixed => "fixed",
            ColumnKind::Instance => "instance",
        };
        Self {
            kind: kind.to_owned(),
            column: column.index,
            row,
            public_input,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.public_input {
            write!(f, "public input '{name}' (")?;
        }
        write!(f, "{} column {} row {}", self.kind, self.column, self.row)?;
        if self.public_input.is_some() {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}
