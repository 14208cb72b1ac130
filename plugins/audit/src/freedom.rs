//! Counts the directions in which witness and public inputs can be moved without breaking a
//! constraint.
//!
//! Around a good witness the constraints are linear: their derivatives with respect to every
//! cell form a matrix over the field. Cells joined by copies are one unknown; cells equal to a
//! fixed one are none. Unknowns minus the matrix's rank is the number of independent directions,
//! and the author can predict it: one for every field element that an honest prover chooses
//! freely, none for what comes from a small set (bits, range-checked words, rows of a table) and
//! none for what is computed. More directions than predicted are a hole.
//!
//! Public inputs move too. Were they held, they could hide a hole: a value witnessed twice may
//! be fixed twice by two public results, each from its own copy.

mod matrix;
mod table;
mod values;

use std::collections::BTreeMap;

use aureole_ir::{Circuit, Column, Witness};
use ff::Field;
use pasta_curves::Fp;

use self::{matrix::Matrix, table::Table};

/// What [`freedom`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freedom {
    /// Independent directions that break nothing.
    pub directions: usize,
    /// Classes of advice and instance cells that a constraint or a copy mentions.
    pub unknowns: usize,
    /// One cell for each direction; moving it can be made good by moving others.
    pub free_cells: Vec<Unknown>,
}

/// Why there is nothing to count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FreedomError {
    /// The parts do not belong together: an index points nowhere.
    #[error("the circuit or its witness is malformed: {what}")]
    Malformed {
        /// What was looked for.
        what: &'static str,
    },
    /// The witness is no good: a constraint is not zero there.
    #[error("gate {gate:?} constraint {constraint:?} does not hold on row {row}")]
    Unsatisfied {
        /// The gate's name.
        gate: String,
        /// The constraint's name.
        constraint: String,
        /// The row.
        row: u32,
    },
}

/// Counts the directions in which all advice and instance cells can be moved together without
/// breaking a gate, a lookup or a copy, to first order.
///
/// # Errors
///
/// [`FreedomError`] if the witness does not fit the circuit or does not satisfy its gates.
pub fn freedom(circuit: &Circuit, witness: &Witness) -> Result<Freedom, FreedomError> {
    let table = Table::new(circuit, witness)?;
    let mut matrix = Matrix::default();
    let rows = (0..1_u32 << circuit.k).filter(|row| table.is_usable(*row));
    for row in rows {
        for gate in &circuit.constraint_system.gates {
            for constraint in &gate.constraints {
                let (value, gradient) = table.differentiate(constraint.expression, row)?;
                if value != Fp::ZERO {
                    return Err(FreedomError::Unsatisfied {
                        gate: gate.name.clone(),
                        constraint: constraint.name.clone(),
                        row,
                    });
                }
                matrix.insert(gradient);
            }
        }
        // A table is a finite set, so what is looked up in it cannot move at all.
        for lookup in &circuit.constraint_system.lookups {
            for input in &lookup.inputs {
                let (_, gradient) = table.differentiate(*input, row)?;
                matrix.insert(gradient);
            }
        }
    }

    let (pivots, mut unknowns) = matrix.into_parts();
    unknowns.extend(table.copied_unknowns());
    let free: Vec<Unknown> = unknowns
        .iter()
        .filter(|unknown| !pivots.contains(unknown))
        .copied()
        .collect();
    Ok(Freedom {
        directions: free.len(),
        unknowns: unknowns.len(),
        free_cells: free,
    })
}

/// An advice or instance cell that stands for all those it is copied to; ordered from the first
/// row down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The row.
    pub row: u32,
    /// The column.
    pub column: Column,
}

/// Derivatives by unknown; those not listed are zero.
type Gradient = BTreeMap<Unknown, Fp>;

fn missing(what: &'static str) -> FreedomError {
    FreedomError::Malformed { what }
}
