//! The derivatives of all constraints in echelon form, built row by row.
//!
//! Rows are sparse and constraints are local, so each is reduced by few others.

use std::collections::{BTreeMap, BTreeSet};

use ff::Field;
use pasta_curves::Fp;

use super::{Gradient, Unknown};

/// Rows of the Jacobian in echelon form: each begins with its last unknown.
#[derive(Default)]
pub(super) struct Matrix {
    pivots: BTreeMap<Unknown, Gradient>,
    mentioned: BTreeSet<Unknown>,
}

// === impl Matrix ===

impl Matrix {
    /// Adds a row, reduced by those before it.
    pub(super) fn insert(&mut self, mut row: Gradient) {
        self.mentioned.extend(row.keys());
        while let Some((last, weight)) = row.last_key_value().map(|(k, v)| (*k, *v)) {
            let Some(pivot) = self.pivots.get(&last) else {
                let scale = weight.invert().unwrap_or(Fp::ZERO);
                row.values_mut().for_each(|value| *value *= scale);
                self.pivots.insert(last, row);
                return;
            };
            for (unknown, value) in pivot {
                let entry = row.entry(*unknown).or_insert(Fp::ZERO);
                *entry -= weight * value;
                if *entry == Fp::ZERO {
                    row.remove(unknown);
                }
            }
        }
    }

    /// The unknowns that some row determines, and all that any row mentions.
    pub(super) fn into_parts(self) -> (BTreeSet<Unknown>, BTreeSet<Unknown>) {
        (self.pivots.into_keys().collect(), self.mentioned)
    }
}
