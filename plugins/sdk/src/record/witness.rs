//! The recorder of a witness: what `create_proof` keeps.
//!
//! It runs once a proof. A cell costs a binary search among the columns and one store; values
//! become bytes at the end, in one pass.

use aureole_ir as ir;
use ff::PrimeField;
use halo2_proofs::{
    circuit::Value,
    plonk::{Advice, Assigned, Column, Error, Instance},
};
use pasta_curves::Fp;

use super::assignment::{Recorder, known};
use super::{Handles, RecordError};

/// Rows beyond which a recorder gives up.
const ROWS_MAX: usize = 1 << super::K_MAX;

pub(super) struct Witness<'a> {
    handles: &'a Handles,
    instance: &'a [Vec<Fp>],
    /// Column by column, as long as the last row assigned; rows never assigned are zero.
    advice: Vec<Vec<Assigned<Fp>>>,
    unknown: Option<(u32, u64)>,
}

// === impl Witness ===

impl<'a> Witness<'a> {
    pub(super) fn new(handles: &'a Handles, instance: &'a [Vec<Fp>], rows: usize) -> Self {
        Self {
            handles,
            instance,
            advice: (0..handles.advice_columns())
                .map(|_| Vec::with_capacity(rows))
                .collect(),
            unknown: None,
        }
    }

    /// The error with what only the recorder knows.
    pub(super) fn explain(&self, error: Error) -> RecordError {
        match self.unknown {
            Some((column, row)) => RecordError::UnknownAdvice { column, row },
            None => RecordError::Synthesis(error),
        }
    }

    /// The witness, still without public inputs.
    pub(super) fn finish(self) -> ir::Witness {
        let total: usize = self.advice.iter().map(Vec::len).sum();
        let mut witness = ir::Witness {
            advice_rows: Vec::with_capacity(self.advice.len()),
            advice_values: Vec::with_capacity(total * 32),
            denominators: Vec::new(),
            public_inputs: Vec::new(),
        };
        for (column, values) in (0_u32..).zip(&self.advice) {
            // `ROWS_MAX` fits.
            witness.advice_rows.push(values.len() as u32);
            for (row, value) in (0_u32..).zip(values) {
                let numerator = match value {
                    Assigned::Zero => [0; 32],
                    Assigned::Trivial(value) => value.to_repr(),
                    Assigned::Rational(numerator, denominator) => {
                        witness.denominators.push(ir::Denominator {
                            column,
                            row,
                            value: ir::FieldElement(denominator.to_repr()),
                        });
                        numerator.to_repr()
                    }
                };
                witness.advice_values.extend_from_slice(&numerator);
            }
        }
        witness
    }
}

impl Recorder for Witness<'_> {
    fn instance(&self, column: Column<Instance>, row: usize) -> Result<Value<Fp>, Error> {
        let column = self.handles.instance(column)?;
        self.instance
            .get(column)
            .and_then(|values| values.get(row))
            .map(|value| Value::known(*value))
            .ok_or(Error::BoundsFailure)
    }

    fn advice(
        &mut self,
        column: Column<Advice>,
        row: usize,
        value: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        if row >= ROWS_MAX {
            return Err(Error::BoundsFailure);
        }
        let index = self.handles.advice(column)?;
        let Some(value) = known(value()) else {
            self.unknown = Some((u32::try_from(index).unwrap_or(u32::MAX), row as u64));
            return Err(Error::Synthesis);
        };
        let values = self.advice.get_mut(index).ok_or(Error::BoundsFailure)?;
        if row == values.len() {
            values.push(value);
            return Ok(());
        }
        if row > values.len() {
            values.resize(row + 1, Assigned::Zero);
        }
        let cell = values.get_mut(row).ok_or(Error::BoundsFailure)?;
        *cell = value;
        Ok(())
    }
}
