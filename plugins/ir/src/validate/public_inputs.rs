//! Public inputs: names, places and, for a proof, the values' number and form.

use std::collections::BTreeSet;

use super::count;
use super::rows::Rows;
use crate::refusal::{self, Refusal};
use crate::{CheckedCircuit, Circuit, FieldElement, Limits};

/// Checks the list and says how many rows each instance column has.
pub(super) fn check(circuit: &Circuit, rows: &Rows, limits: &Limits) -> Result<Vec<u32>, Refusal> {
    let inputs = &circuit.public_inputs;
    if count(inputs) > limits.public_inputs_max {
        return Err(Refusal::above(
            refusal::PUBLIC_INPUTS,
            "public inputs",
            count(inputs).into(),
            limits.public_inputs_max.into(),
        ));
    }
    let columns = circuit.constraint_system.instance_columns;
    let mut names = BTreeSet::new();
    let mut total = 0_u64;
    for (index, input) in inputs.iter().enumerate() {
        if !well_named(&input.name) {
            return Err(Refusal::new(
                refusal::NAME,
                format!("name of public input {index}"),
                "it must be 1 to 63 characters: a lower-case letter, then lower-case letters, \
                 digits, `_` and `-`",
            ));
        }
        let item = || format!("public input `{}`", input.name);
        if !names.insert(input.name.as_str()) {
            return Err(Refusal::new(
                refusal::NAME,
                item(),
                "another public input has this name",
            ));
        }
        if input.column >= columns {
            return Err(Refusal::new(
                refusal::PUBLIC_INPUTS,
                item(),
                format!(
                    "there is no instance column {}, only {columns}",
                    input.column
                ),
            ));
        }
        if input.rows == 0 {
            return Err(Refusal::new(
                refusal::PUBLIC_INPUTS,
                item(),
                "it takes no row; one is the least",
            ));
        }
        total += u64::from(input.rows);
    }
    if total > u64::from(limits.instance_cells_max) {
        return Err(Refusal::above(
            refusal::PUBLIC_INPUTS,
            "rows of all public inputs",
            total,
            limits.instance_cells_max.into(),
        ));
    }
    lengths(circuit, rows)
}

fn lengths(circuit: &Circuit, rows: &Rows) -> Result<Vec<u32>, Refusal> {
    let lengths = circuit.instance_lengths();
    for (column, length) in lengths.iter().enumerate() {
        if *length > rows.usable {
            return Err(Refusal::new(
                refusal::PUBLIC_INPUTS,
                format!("instance column {column}"),
                format!(
                    "its public inputs take {length} rows, and {} are usable",
                    rows.usable
                ),
            ));
        }
    }
    Ok(lengths)
}

fn well_named(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 63
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        })
}

// === impl CheckedCircuit ===

impl CheckedCircuit {
    /// Checks flat public inputs, 32 bytes each, in the circuit's order: their exact number,
    /// because halo2 accepts trailing zeros, and that each is below the modulus.
    ///
    /// # Errors
    /// `public_inputs.length` or `public_inputs.field_non_canonical`.
    pub fn check_public_inputs(&self, flat: &[u8]) -> Result<(), Refusal> {
        let (values, rest) = flat.as_chunks::<32>();
        let expected: u64 = self
            .shape()
            .instance_lengths
            .iter()
            .map(|n| u64::from(*n))
            .sum();
        if !rest.is_empty() || values.len() as u64 != expected {
            return Err(Refusal::new(
                refusal::PUBLIC_INPUTS_LENGTH,
                "public inputs",
                format!(
                    "there are {} bytes, and the circuit has exactly {expected} public inputs of \
                     32 bytes",
                    flat.len()
                ),
            ));
        }
        let circuit = self.circuit();
        let mut values = values.iter();
        for input in &circuit.public_inputs {
            for row in 0..input.rows {
                let canonical = values
                    .next()
                    .is_some_and(|value| FieldElement(*value).is_canonical(circuit.field));
                if !canonical {
                    return Err(Refusal::new(
                        refusal::PUBLIC_INPUTS_NON_CANONICAL,
                        format!("public input `{}`, element {row}", input.name),
                        "the value is not below the field's modulus",
                    ));
                }
            }
        }
        Ok(())
    }
}
