//! The cells' values, column by column, out of a circuit's layout and a witness.

use aureole_ir::{Circuit, FieldElement, Witness};
use ff::{Field, PrimeField};
use pasta_curves::Fp;

use super::{FreedomError, missing};

pub(super) fn element(value: FieldElement) -> Result<Fp, FreedomError> {
    Option::from(Fp::from_repr(value.0)).ok_or(missing("a canonical field element"))
}

fn elements(bytes: &[u8]) -> Result<Vec<Fp>, FreedomError> {
    let (chunks, _) = bytes.as_chunks::<32>();
    let chunks = chunks.iter();
    chunks.map(|chunk| element(FieldElement(*chunk))).collect()
}

pub(super) fn advice_values(witness: &Witness, rows: u32) -> Result<Vec<Vec<Fp>>, FreedomError> {
    let mut values = elements(&witness.advice_values)?.into_iter();
    let mut columns: Vec<Vec<Fp>> = Vec::new();
    for given in &witness.advice_rows {
        let mut column: Vec<Fp> = values.by_ref().take(*given as usize).collect();
        column.resize(rows as usize, Fp::ZERO);
        columns.push(column);
    }
    for denominator in &witness.denominators {
        let cell = columns
            .get_mut(denominator.column as usize)
            .and_then(|column| column.get_mut(denominator.row as usize))
            .ok_or(missing("a cell with a denominator"))?;
        *cell *= element(denominator.value)?.invert().unwrap_or(Fp::ZERO);
    }
    Ok(columns)
}

pub(super) fn fixed_values(circuit: &Circuit, rows: u32) -> Result<Vec<Vec<Fp>>, FreedomError> {
    let count = circuit.constraint_system.fixed_columns as usize;
    let mut columns = vec![vec![Fp::ZERO; rows as usize]; count];
    for fill in &circuit.layout.fixed_fills {
        let value = element(fill.value)?;
        let column = columns
            .get_mut(fill.column as usize)
            .ok_or(missing("a filled column"))?;
        column
            .iter_mut()
            .skip(fill.from_row as usize)
            .for_each(|cell| *cell = value);
    }
    for cell in &circuit.layout.fixed_cells {
        let value = element(cell.value)?;
        let slot = columns
            .get_mut(cell.column as usize)
            .and_then(|column| column.get_mut(cell.row as usize))
            .ok_or(missing("a fixed cell"))?;
        *slot = value;
    }
    Ok(columns)
}

pub(super) fn instance_values(
    circuit: &Circuit,
    witness: &Witness,
    rows: u32,
) -> Result<Vec<Vec<Fp>>, FreedomError> {
    let count = circuit.constraint_system.instance_columns as usize;
    let mut columns: Vec<Vec<Fp>> = vec![Vec::new(); count];
    let mut values = elements(&witness.public_inputs)?.into_iter();
    for input in &circuit.public_inputs {
        let column = columns
            .get_mut(input.column as usize)
            .ok_or(missing("a public column"))?;
        column.extend(values.by_ref().take(input.rows as usize));
    }
    columns
        .iter_mut()
        .for_each(|column| column.resize(rows as usize, Fp::ZERO));
    Ok(columns)
}
