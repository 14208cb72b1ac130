//! Column and selector handles by index, and back.
//!
//! halo2 keeps a handle's index to itself. Handles are equal by index, so a scratch constraint
//! system yields the same ones, and they are ordered, so a binary search among ten or so finds
//! the index: nothing is hashed or formatted for a cell.

use std::collections::HashMap;

use aureole_ir::{self as ir, ColumnKind};
use halo2_proofs::plonk::{
    Advice, Any, Column, ConstraintSystem, Error, Fixed, Instance, Selector,
};
use pasta_curves::Fp;

/// The handles of one circuit.
pub(super) struct Handles {
    advice: Vec<Column<Advice>>,
    fixed: Vec<Column<Fixed>>,
    instance: Vec<Column<Instance>>,
    permutation: HashMap<Column<Any>, u32>,
    selectors: HashMap<Selector, u32>,
    constants: Vec<Column<Fixed>>,
}

// === impl Handles ===

impl Handles {
    pub(super) fn new(shape: &ir::ConstraintSystem) -> Self {
        let mut scratch = ConstraintSystem::<Fp>::default();
        let advice: Vec<_> = (0..shape.advice_columns)
            .map(|_| scratch.advice_column())
            .collect();
        let fixed: Vec<_> = (0..shape.fixed_columns)
            .map(|_| scratch.fixed_column())
            .collect();
        let instance: Vec<_> = (0..shape.instance_columns)
            .map(|_| scratch.instance_column())
            .collect();

        // A handle tells its kind as well; one that no gate queries may be of either.
        let mut simple = ConstraintSystem::<Fp>::default();
        let mut complex = ConstraintSystem::<Fp>::default();
        let selectors = (0_u32..)
            .zip(&shape.selectors)
            .flat_map(|(index, _)| {
                [
                    (simple.selector(), index),
                    (complex.complex_selector(), index),
                ]
            })
            .collect();

        let permutation = (0_u32..)
            .zip(&shape.permutation)
            .filter_map(|(position, column)| {
                let index = column.index as usize;
                let handle = match column.kind {
                    ColumnKind::Advice => (*advice.get(index)?).into(),
                    ColumnKind::Fixed => (*fixed.get(index)?).into(),
                    ColumnKind::Instance => (*instance.get(index)?).into(),
                };
                Some((handle, position))
            })
            .collect();
        let constants = shape
            .constants
            .iter()
            .filter_map(|index| fixed.get(*index as usize).copied())
            .collect();
        Self {
            advice,
            fixed,
            instance,
            permutation,
            selectors,
            constants,
        }
    }

    /// The columns for constants, as a floor planner wants them.
    pub(super) fn constants(&self) -> Vec<Column<Fixed>> {
        self.constants.clone()
    }

    pub(super) fn advice_columns(&self) -> usize {
        self.advice.len()
    }

    pub(super) fn advice(&self, column: Column<Advice>) -> Result<usize, Error> {
        self.advice
            .binary_search(&column)
            .map_err(|_| Error::BoundsFailure)
    }

    pub(super) fn fixed(&self, column: Column<Fixed>) -> Result<usize, Error> {
        self.fixed
            .binary_search(&column)
            .map_err(|_| Error::BoundsFailure)
    }

    pub(super) fn instance(&self, column: Column<Instance>) -> Result<usize, Error> {
        self.instance
            .binary_search(&column)
            .map_err(|_| Error::BoundsFailure)
    }

    pub(super) fn selector(&self, selector: &Selector) -> Result<u32, Error> {
        self.selectors
            .get(selector)
            .copied()
            .ok_or(Error::BoundsFailure)
    }

    /// Position in the permutation.
    pub(super) fn permutation(&self, column: Column<Any>) -> Result<u32, Error> {
        self.permutation
            .get(&column)
            .copied()
            .ok_or(Error::ColumnNotInPermutation(column))
    }
}
