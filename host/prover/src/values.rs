//! Canonical bytes to field elements, in bulk and in parallel.

use aureole_ir::{Circuit, FieldElement, Witness};
use ff::{BatchInvert, PrimeField};
use pasta_curves::Fp;
use rayon::prelude::*;

use crate::{Error, limits::ELEMENTS_PER_JOB};

/// One element.
pub(crate) fn element(value: &FieldElement) -> Option<Fp> {
    Fp::from_repr(value.0).into_option()
}

/// All elements of `bytes`, 32 bytes each.
pub(crate) fn elements(bytes: &[u8], what: &'static str) -> Result<Vec<Fp>, Error> {
    let (reprs, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(Error::NonCanonical {
            what,
            index: reprs.len(),
        });
    }
    let mut values = vec![Fp::zero(); reprs.len()];
    values
        .par_chunks_mut(ELEMENTS_PER_JOB)
        .zip(reprs.par_chunks(ELEMENTS_PER_JOB))
        .enumerate()
        .try_for_each(|(job, (values, reprs))| {
            for (index, (value, repr)) in values.iter_mut().zip(reprs).enumerate() {
                *value = Fp::from_repr(*repr)
                    .into_option()
                    .ok_or(Error::NonCanonical {
                        what,
                        index: job.saturating_mul(ELEMENTS_PER_JOB).saturating_add(index),
                    })?;
            }
            Ok::<(), Error>(())
        })?;
    Ok(values)
}

/// The advice columns, as long as the witness gives them, with denominators divided out.
pub(crate) fn advice(witness: &Witness) -> Result<Vec<Vec<Fp>>, Error> {
    let flat = elements(&witness.advice_values, "the advice values")?;
    let mut rest = flat.as_slice();
    let mut columns = Vec::with_capacity(witness.advice_rows.len());
    for rows in &witness.advice_rows {
        let (column, after) = rest
            .split_at_checked(*rows as usize)
            .ok_or(Error::NonCanonical {
                what: "the advice values",
                index: flat.len(),
            })?;
        columns.push(column.to_vec());
        rest = after;
    }

    let mut inverses = Vec::with_capacity(witness.denominators.len());
    for (index, denominator) in witness.denominators.iter().enumerate() {
        let value = element(&denominator.value).ok_or(Error::NonCanonical {
            what: "the denominators",
            index,
        })?;
        inverses.push(value);
    }
    // A zero stays zero, and the value with it, as halo2's `Assigned` has it.
    inverses.par_chunks_mut(ELEMENTS_PER_JOB).for_each(|chunk| {
        chunk.iter_mut().batch_invert();
    });
    for (denominator, inverse) in witness.denominators.iter().zip(inverses) {
        let cell = columns
            .get_mut(denominator.column as usize)
            .and_then(|column| column.get_mut(denominator.row as usize));
        if let Some(cell) = cell {
            *cell *= inverse;
        }
    }
    Ok(columns)
}

/// The instance columns, each as long as the circuit says.
pub(crate) fn instance(circuit: &Circuit, public_inputs: &[u8]) -> Result<Vec<Vec<Fp>>, Error> {
    let flat = elements(public_inputs, "the public inputs")?;
    let mut columns = vec![Vec::new(); circuit.constraint_system.instance_columns as usize];
    let mut rest = flat.as_slice();
    for input in &circuit.public_inputs {
        let (values, after) = rest
            .split_at_checked(input.rows as usize)
            .unwrap_or((rest, &[]));
        if let Some(column) = columns.get_mut(input.column as usize) {
            column.extend_from_slice(values);
        }
        rest = after;
    }
    Ok(columns)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use aureole_ir::Denominator;

    use super::*;

    fn bytes(values: &[u64]) -> Vec<u8> {
        values
            .iter()
            .flat_map(|value| Fp::from(*value).to_repr())
            .collect()
    }

    #[test]
    fn elements_are_parsed_in_order_across_jobs() {
        let numbers: Vec<u64> = (0..2 * ELEMENTS_PER_JOB as u64 + 3).collect();
        let parsed = elements(&bytes(&numbers), "the test").unwrap();
        assert!(
            parsed
                .iter()
                .zip(numbers)
                .all(|(value, number)| *value == Fp::from(number))
        );
    }

    #[test]
    fn an_element_above_the_modulus_is_named_by_its_index() {
        let mut flat = bytes(&[1; 2 * ELEMENTS_PER_JOB]);
        let at = ELEMENTS_PER_JOB + 5;
        flat.get_mut(at * 32..at * 32 + 32).unwrap().fill(0xff);
        let error = elements(&flat, "the test").unwrap_err();
        let expected = format!("field element {at} of the test is not below the modulus");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.code(), "ir.field_non_canonical");
    }

    #[test]
    fn bytes_that_are_no_whole_element_are_an_error() {
        assert!(elements(&[0; 33], "the test").is_err());
    }

    #[test]
    fn denominators_divide_and_zero_makes_zero() {
        let denominator = |row, value: u64| Denominator {
            column: 1,
            row,
            value: FieldElement(Fp::from(value).to_repr()),
        };
        let witness = Witness {
            advice_rows: vec![1, 3],
            advice_values: bytes(&[5, 12, 7, 9]),
            denominators: vec![denominator(0, 4), denominator(2, 0)],
            public_inputs: Vec::new(),
        };
        let columns = advice(&witness).unwrap();
        assert_eq!(
            columns,
            [
                vec![Fp::from(5)],
                vec![Fp::from(3), Fp::from(7), Fp::zero()]
            ]
        );
    }
}
