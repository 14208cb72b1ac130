//! A witness against its circuit: shape and canonical values. Whether it satisfies the circuit
//! is the prover's business. Messages name places, never values.

use super::count;
use crate::refusal::{self, Refusal};
use crate::{CheckedCircuit, FieldElement, Witness};

// === impl CheckedCircuit ===

impl CheckedCircuit {
    /// Checks a witness's shape and that every value is below the modulus.
    ///
    /// # Errors
    /// `witness.shape`, `witness.field_non_canonical`, or as
    /// [`check_public_inputs`](Self::check_public_inputs).
    pub fn check_witness(&self, witness: &Witness) -> Result<(), Refusal> {
        self.check_public_inputs(&witness.public_inputs)?;
        self.check_rows(witness)?;
        self.check_values(witness)?;
        self.check_denominators(witness)
    }

    fn check_rows(&self, witness: &Witness) -> Result<(), Refusal> {
        let shape = self.shape();
        let columns = count(&witness.advice_rows);
        if columns != shape.advice_columns {
            return Err(Refusal::new(
                refusal::WITNESS_SHAPE,
                "advice columns",
                format!(
                    "the witness has {columns}, the circuit {}",
                    shape.advice_columns
                ),
            ));
        }
        let mut total = 0_u64;
        for (column, rows) in witness.advice_rows.iter().enumerate() {
            if *rows > shape.rows_usable {
                return Err(Refusal::new(
                    refusal::WITNESS_SHAPE,
                    format!("advice column {column}"),
                    format!(
                        "{rows} rows are given, and {} are usable",
                        shape.rows_usable
                    ),
                ));
            }
            total += u64::from(*rows);
        }
        if witness.advice_values.len() as u64 != total * 32 {
            return Err(Refusal::new(
                refusal::WITNESS_SHAPE,
                "advice values",
                format!(
                    "{total} rows take {} bytes, not {}",
                    total * 32,
                    witness.advice_values.len()
                ),
            ));
        }
        Ok(())
    }

    fn check_values(&self, witness: &Witness) -> Result<(), Refusal> {
        let field = self.circuit().field;
        let mut values = witness.advice_values.as_chunks::<32>().0.iter();
        for (column, rows) in witness.advice_rows.iter().enumerate() {
            for row in 0..*rows {
                let canonical = values
                    .next()
                    .is_some_and(|value| FieldElement(*value).is_canonical(field));
                if !canonical {
                    return Err(non_canonical(format!(
                        "value of advice column {column}, row {row}"
                    )));
                }
            }
        }
        Ok(())
    }

    fn check_denominators(&self, witness: &Witness) -> Result<(), Refusal> {
        let mut before = None;
        for cell in &witness.denominators {
            let item = || {
                format!(
                    "denominator of advice column {}, row {}",
                    cell.column, cell.row
                )
            };
            let rows = witness.advice_rows.get(cell.column as usize).copied();
            if rows.is_none_or(|rows| cell.row >= rows) {
                return Err(Refusal::new(
                    refusal::WITNESS_SHAPE,
                    item(),
                    format!("the column gives {} rows", rows.unwrap_or(0)),
                ));
            }
            let place = Some((cell.column, cell.row));
            if before >= place {
                return Err(Refusal::new(
                    refusal::WITNESS_SHAPE,
                    item(),
                    "the list must be sorted and name each place once",
                ));
            }
            before = place;
            if !cell.value.is_canonical(self.circuit().field) {
                return Err(non_canonical(item()));
            }
        }
        Ok(())
    }
}

fn non_canonical(item: String) -> Refusal {
    Refusal::new(
        refusal::WITNESS_NON_CANONICAL,
        item,
        "it is not below the field's modulus",
    )
}
