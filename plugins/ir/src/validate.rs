//! From a description that anybody may have made to one that a prover may use.
//!
//! Every number is checked before it is used. No check recurses, and none does more work than a
//! small multiple of the description's own size, which the limits bound first.

use serde::{Deserialize, Serialize};

use crate::{Circuit, CircuitDigest, Limits, Refusal};

mod columns;
mod expressions;
mod layout;
mod names;
mod public_inputs;
mod rows;
mod tables;
mod witness;

pub use names::unprintable;

/// The figures of a checked circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The circuit has 2^k rows.
    pub k: u32,
    /// 2^k.
    pub rows: u32,
    /// Rows that may hold values: the last ones blind the proof.
    pub rows_usable: u32,
    /// One more than the last row with a fixed cell, an active selector, a copied cell or a
    /// public input.
    pub rows_used: u32,
    /// Rows of random values that hide each advice column, as halo2 counts them.
    pub blinding_factors: u32,
    /// Advice columns.
    pub advice_columns: u32,
    /// Fixed columns, without those that selectors become.
    pub fixed_columns: u32,
    /// Instance columns.
    pub instance_columns: u32,
    /// Selectors, before halo2 combines them.
    pub selectors: u32,
    /// Gates.
    pub gates: u32,
    /// Constraints of all gates.
    pub constraints: u32,
    /// Lookup arguments.
    pub lookups: u32,
    /// Degree of the constraint system.
    pub degree: u32,
    /// The extended domain has 2^`extended_k` points.
    pub extended_k: u32,
    /// Columns under equality constraints.
    pub permutation_columns: u32,
    /// Copies.
    pub copies: u32,
    /// Advice queries.
    pub advice_queries: u32,
    /// Fixed queries, without those of the columns that selectors become.
    pub fixed_queries: u32,
    /// Instance queries.
    pub instance_queries: u32,
    /// Nodes of the expression list.
    pub expressions: u32,
    /// Nodes once shared ones are written out.
    pub expanded_expressions: u64,
    /// Fixed cells.
    pub fixed_cells: u32,
    /// Selector activations.
    pub selector_rows: u32,
    /// How many public inputs each instance column has.
    pub instance_lengths: Vec<u32>,
    /// Bytes of all columns in extended form: what keys and proofs cost in memory, about.
    pub extended_bytes: u64,
}

/// A circuit that kept every rule. It can be had from [`Circuit::check`] only.
#[derive(Clone, Debug)]
pub struct CheckedCircuit {
    circuit: Circuit,
    digest: CircuitDigest,
    shape: Shape,
}

// === impl Circuit ===

impl Circuit {
    /// Checks everything that halo2 and the platform take for granted.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn check(self, limits: &Limits) -> Result<CheckedCircuit, Refusal> {
        let cs = &self.constraint_system;
        columns::counts(cs, limits)?;
        names::check(cs, limits)?;
        let rows = rows::check(&self, limits)?;
        columns::queries(cs, &rows, limits)?;
        columns::permutation(cs)?;
        let sizes = expressions::check(cs, self.field, limits)?;
        let domain = rows::domain(&self, &rows, sizes.degree, limits)?;
        let instance_lengths = public_inputs::check(&self, &rows, limits)?;
        layout::check(&self, &rows, limits)?;
        tables::check(cs, &self.layout, &rows)?;

        let shape = Shape {
            k: self.k,
            rows: rows.all,
            rows_usable: rows.usable,
            rows_used: layout::rows_used(&self.layout, &instance_lengths),
            blinding_factors: rows.blinding_factors,
            advice_columns: cs.advice_columns,
            fixed_columns: cs.fixed_columns,
            instance_columns: cs.instance_columns,
            selectors: count(&cs.selectors),
            gates: count(&cs.gates),
            constraints: sizes.constraints,
            lookups: count(&cs.lookups),
            degree: sizes.degree,
            extended_k: domain.extended_k,
            permutation_columns: count(&cs.permutation),
            copies: count(&self.layout.copies),
            advice_queries: count(&cs.advice_queries),
            fixed_queries: count(&cs.fixed_queries),
            instance_queries: count(&cs.instance_queries),
            expressions: count(&cs.expressions),
            expanded_expressions: sizes.expanded,
            fixed_cells: count(&self.layout.fixed_cells),
            selector_rows: count(&self.layout.selector_rows),
            instance_lengths,
            extended_bytes: domain.extended_bytes,
        };
        Ok(CheckedCircuit {
            digest: self.digest(),
            circuit: self,
            shape,
        })
    }
}

// === impl CheckedCircuit ===

impl CheckedCircuit {
    /// The circuit.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> CircuitDigest {
        self.digest
    }

    /// Its figures.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// Number of items; the largest number when there are more, which is above every limit.
fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
