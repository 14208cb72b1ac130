//! All cells of a circuit with a witness in it.

use aureole_ir::{CheckedCircuit, Column, ColumnKind, Witness};
use pasta_curves::Fp;

use super::probe::Spot;
use super::program::Outcome;
use crate::{Error, values};

/// Columns of values. Advice is kept as long as the witness gives it, instance as long as the
/// public inputs are; what lies beyond is zero, and random in the advice's last rows.
#[derive(Clone)]
pub(super) struct Cells {
    rows: u32,
    usable: u32,
    fixed: Vec<Vec<Fp>>,
    advice: Vec<Vec<Fp>>,
    instance: Vec<Vec<Fp>>,
    selectors: Vec<Vec<bool>>,
    selector_rows: Vec<Vec<u32>>,
    /// An advice cell that counts as random.
    poisoned: Option<(u32, u32)>,
}

// === impl Cells ===

impl Cells {
    /// Lays out a circuit and a witness that were checked for shape.
    pub(super) fn new(checked: &CheckedCircuit, witness: &Witness) -> Result<Self, Error> {
        let circuit = checked.circuit();
        let system = &circuit.constraint_system;
        let shape = checked.shape();
        let rows = shape.rows;
        let length = rows as usize;
        let mut fixed = vec![vec![Fp::zero(); length]; system.fixed_columns as usize];
        for (index, fill) in circuit.layout.fixed_fills.iter().enumerate() {
            let value = values::element(&fill.value).ok_or(Error::NonCanonical {
                what: "the fills",
                index,
            })?;
            let usable = fixed.get_mut(fill.column as usize).and_then(|column| {
                column.get_mut(fill.from_row as usize..shape.rows_usable as usize)
            });
            usable.into_iter().flatten().for_each(|cell| *cell = value);
        }
        for (index, cell) in circuit.layout.fixed_cells.iter().enumerate() {
            let value = values::element(&cell.value).ok_or(Error::NonCanonical {
                what: "the fixed cells",
                index,
            })?;
            let slot = fixed
                .get_mut(cell.column as usize)
                .and_then(|column| column.get_mut(cell.row as usize));
            slot.into_iter().for_each(|slot| *slot = value);
        }
        let mut selectors = vec![vec![false; length]; system.selectors.len()];
        let mut selector_rows = vec![Vec::new(); system.selectors.len()];
        for activation in &circuit.layout.selector_rows {
            let selector = activation.selector as usize;
            let slot = selectors
                .get_mut(selector)
                .and_then(|rows| rows.get_mut(activation.row as usize));
            slot.into_iter().for_each(|slot| *slot = true);
            selector_rows
                .get_mut(selector)
                .into_iter()
                .for_each(|rows| rows.push(activation.row));
        }
        Ok(Self {
            rows,
            usable: shape.rows_usable,
            fixed,
            advice: values::advice(witness)?,
            instance: values::instance(circuit, &witness.public_inputs)?,
            selectors,
            selector_rows,
            poisoned: None,
        })
    }

    /// Rows that may hold values.
    pub(super) fn usable(&self) -> u32 {
        self.usable
    }

    /// The rows on which a simple selector is on; all rows without one.
    pub(super) fn rows_of(&self, selector: Option<u32>) -> Vec<u32> {
        match selector {
            Some(selector) => self
                .selector_rows
                .get(selector as usize)
                .cloned()
                .unwrap_or_default(),
            None => (0..self.rows).collect(),
        }
    }

    /// The row at a rotation, which wraps around.
    pub(super) fn rotate(&self, row: u32, rotation: i32) -> u32 {
        let rotated = i64::from(row).saturating_add(rotation.into());
        rotated
            .rem_euclid(i64::from(self.rows).max(1))
            .try_into()
            .unwrap_or(0)
    }

    /// A selector as a factor.
    pub(super) fn selector(&self, selector: u32, row: u32) -> Fp {
        let on = self
            .selectors
            .get(selector as usize)
            .and_then(|rows| rows.get(row as usize));
        if on == Some(&true) {
            Fp::one()
        } else {
            Fp::zero()
        }
    }

    /// A fixed cell.
    pub(super) fn fixed(&self, column: u32, row: u32) -> Fp {
        get(&self.fixed, column, row)
    }

    /// An instance cell.
    pub(super) fn instance(&self, column: u32, row: u32) -> Fp {
        get(&self.instance, column, row)
    }

    /// An advice cell: random in a proof's last rows.
    pub(super) fn advice(&self, column: u32, row: u32) -> Outcome {
        if row >= self.usable || self.poisoned == Some((column, row)) {
            Outcome::Poison
        } else {
            Outcome::Value(get(&self.advice, column, row))
        }
    }

    /// A usable cell of any kind.
    pub(super) fn at(&self, column: Column, row: u32) -> Fp {
        let columns = match column.kind {
            ColumnKind::Advice => &self.advice,
            ColumnKind::Fixed => &self.fixed,
            ColumnKind::Instance => &self.instance,
        };
        get(columns, column.index, row)
    }
}

fn get(columns: &[Vec<Fp>], column: u32, row: u32) -> Fp {
    let cell = columns
        .get(column as usize)
        .and_then(|column| column.get(row as usize));
    cell.copied().unwrap_or_else(Fp::zero)
}

// What a probe needs: cells that can be changed.

impl Cells {
    /// The same, with all usable rows of the advice written out.
    pub(super) fn widened(mut self) -> Self {
        let usable = self.usable as usize;
        for column in &mut self.advice {
            column.resize(usable.max(column.len()), Fp::zero());
        }
        self
    }

    /// The same circuit with a witness of no meaning: no constraint holds there by chance.
    pub(super) fn with_noise(&self) -> Self {
        let mut noise = self.clone();
        let mut state = Fp::from(0x9e37_79b9_7f4a_7c15);
        let columns = noise.advice.iter_mut().chain(&mut noise.instance);
        for cell in columns.flatten() {
            state = state.square() + Fp::from(7);
            *cell = state;
        }
        noise
    }

    /// Makes one advice cell random, or none.
    pub(super) fn poison(&mut self, cell: Option<(u32, u32)>) {
        self.poisoned = cell;
    }

    /// A usable advice cell.
    pub(super) fn spot(&self, spot: Spot) -> Fp {
        get(&self.advice, spot.column, spot.row)
    }

    /// Writes one value into advice cells.
    pub(super) fn put(&mut self, spots: &[Spot], value: Fp) {
        for spot in spots {
            let cell = self
                .advice
                .get_mut(spot.column as usize)
                .and_then(|column| column.get_mut(spot.row as usize));
            cell.into_iter().for_each(|cell| *cell = value);
        }
    }
}
