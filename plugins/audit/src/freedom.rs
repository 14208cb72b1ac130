//! Counts the directions in which a whole witness can be moved without breaking a constraint.
//!
//! Around a good witness the constraints are linear: their derivatives with respect to every
//! cell form a matrix over the field. Cells joined by copies are one unknown; cells equal to a
//! fixed or public one are none. Unknowns minus the matrix's rank is the number of independent
//! directions, which the author can predict: every free private field element adds one, every
//! public output takes one away, and anything from a small set (bits, range-checked words, rows
//! of a table) adds none. More directions than predicted are a hole.

use std::collections::{BTreeMap, BTreeSet};

use aureole_ir::{Circuit, ColumnKind, Expression, Query, Witness};
use ff::{Field, PrimeField};
use pasta_curves::Fp;

/// What [`freedom`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freedom {
    /// Independent directions that break nothing.
    pub directions: usize,
    /// Unknowns: classes of advice cells that a constraint or a copy mentions.
    pub unknowns: usize,
    /// One cell for each direction, as (advice column, row): moving it can be undone by moving
    /// cells on later rows only.
    pub free_cells: Vec<(u32, u32)>,
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

/// Counts the directions in which the advice cells can be moved together without breaking a
/// gate, a lookup or a copy, to first order, public inputs held.
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

    let mut unknowns = matrix.mentioned;
    unknowns.extend(table.copied_unknowns());
    let free: Vec<Unknown> = unknowns
        .iter()
        .filter(|unknown| !matrix.pivots.contains_key(unknown))
        .copied()
        .collect();
    Ok(Freedom {
        directions: free.len(),
        unknowns: unknowns.len(),
        free_cells: free.iter().map(|cell| (cell.column, cell.row)).collect(),
    })
}

/// An advice cell that stands for all those it is copied to; ordered from the first row down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unknown {
    row: u32,
    column: u32,
}

/// A cell of any column; advice sorts last, so that a class with a known cell begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Known,
    Advice(Unknown),
}

type Gradient = BTreeMap<Unknown, Fp>;

/// The rows of one proof: every value, and which cells are one.
struct Table<'a> {
    circuit: &'a Circuit,
    rows: u32,
    advice: Vec<Vec<Fp>>,
    fixed: Vec<Vec<Fp>>,
    instance: Vec<Vec<Fp>>,
    selectors: BTreeSet<(u32, u32)>,
    parents: BTreeMap<Unknown, Cell>,
}

/// Rows of the Jacobian in echelon form: each begins with its last unknown.
#[derive(Default)]
struct Matrix {
    pivots: BTreeMap<Unknown, Gradient>,
    mentioned: BTreeSet<Unknown>,
}

// === impl Table ===

impl<'a> Table<'a> {
    fn new(circuit: &'a Circuit, witness: &Witness) -> Result<Self, FreedomError> {
        let rows = 1_u32 << circuit.k;
        let mut table = Self {
            circuit,
            rows,
            advice: advice_values(witness, rows)?,
            fixed: fixed_values(circuit, rows)?,
            instance: instance_values(circuit, witness, rows)?,
            selectors: circuit
                .layout
                .selector_rows
                .iter()
                .map(|on| (on.selector, on.row))
                .collect(),
            parents: BTreeMap::new(),
        };
        for copy in &circuit.layout.copies {
            let left = table.permuted(copy.left_column, copy.left_row)?;
            let right = table.permuted(copy.right_column, copy.right_row)?;
            table.unite(left, right);
        }
        Ok(table)
    }

    /// The last rows hold blinding values; no selector is on there, and no cell is assigned.
    fn is_usable(&self, row: u32) -> bool {
        let last = self.selectors.iter().map(|(_, row)| *row).max();
        let assigned = self.circuit.layout.fixed_cells.iter().map(|c| c.row).max();
        row <= last.max(assigned).unwrap_or(0)
    }

    fn permuted(&self, position: u32, row: u32) -> Result<Cell, FreedomError> {
        let column = usize::try_from(position)
            .ok()
            .and_then(|position| self.circuit.constraint_system.permutation.get(position))
            .ok_or(FreedomError::Malformed {
                what: "a permutation column",
            })?;
        Ok(match column.kind {
            ColumnKind::Advice => Cell::Advice(Unknown {
                row,
                column: column.index,
            }),
            ColumnKind::Fixed | ColumnKind::Instance => Cell::Known,
        })
    }

    fn root(&self, mut cell: Cell) -> Cell {
        while let Cell::Advice(unknown) = cell {
            match self.parents.get(&unknown) {
                Some(parent) => cell = *parent,
                None => break,
            }
        }
        cell
    }

    fn unite(&mut self, left: Cell, right: Cell) {
        let (left, right) = (self.root(left), self.root(right));
        if let (parent, Cell::Advice(child)) = (left.min(right), left.max(right))
            && parent != Cell::Advice(child)
        {
            self.parents.insert(child, parent);
        }
    }

    /// Unknowns that take part in a copy, whether or not a gate mentions them.
    fn copied_unknowns(&self) -> BTreeSet<Unknown> {
        let roots = self.parents.values().map(|parent| self.root(*parent));
        roots
            .filter_map(|root| match root {
                Cell::Advice(unknown) => Some(unknown),
                Cell::Known => None,
            })
            .collect()
    }

    fn at(&self, query: Query, row: u32) -> (u32, u32) {
        let rows = i64::from(self.rows);
        let row = (i64::from(row) + i64::from(query.rotation)).rem_euclid(rows);
        (query.column, u32::try_from(row).unwrap_or(0))
    }

    /// The value of an expression on a row and its derivative with respect to each unknown:
    /// values forward, derivatives backward over the flat node list.
    fn differentiate(&self, node: u32, row: u32) -> Result<(Fp, Gradient), FreedomError> {
        let system = &self.circuit.constraint_system;
        let end = node as usize + 1;
        let nodes = system.expressions.get(..end).ok_or(missing("a node"))?;
        let mut needed = vec![false; end];
        mark(&mut needed, node);
        for (index, expression) in nodes.iter().enumerate().rev() {
            if needed.get(index) == Some(&true) {
                operands(*expression).for_each(|operand| mark(&mut needed, operand));
            }
        }

        let mut values = vec![Fp::ZERO; end];
        for (index, expression) in nodes.iter().enumerate() {
            if needed.get(index) == Some(&true) {
                let value = self.value(*expression, row, &values)?;
                set(&mut values, index, value);
            }
        }

        let mut weights = vec![Fp::ZERO; end];
        set(&mut weights, end - 1, Fp::ONE);
        let mut gradient = Gradient::new();
        for (index, expression) in nodes.iter().enumerate().rev() {
            let weight = get(&weights, index);
            if weight == Fp::ZERO {
                continue;
            }
            let mut pass = |operand: u32, factor: Fp| {
                if let Some(sum) = weights.get_mut(operand as usize) {
                    *sum += weight * factor;
                }
            };
            match *expression {
                Expression::Negated(a) => pass(a, -Fp::ONE),
                Expression::Scaled(a, by) => pass(a, element(by)?),
                Expression::Sum(a, b) => {
                    pass(a, Fp::ONE);
                    pass(b, Fp::ONE);
                }
                Expression::Product(a, b) => {
                    pass(a, get(&values, b as usize));
                    pass(b, get(&values, a as usize));
                }
                Expression::Advice(query) => {
                    let (column, row) = self.at(query_of(&system.advice_queries, query)?, row);
                    if let Cell::Advice(unknown) = self.root(Cell::Advice(Unknown { row, column }))
                    {
                        *gradient.entry(unknown).or_insert(Fp::ZERO) += weight;
                    }
                }
                _ => {}
            }
        }
        gradient.retain(|_, weight| *weight != Fp::ZERO);
        Ok((get(&values, end - 1), gradient))
    }

    fn value(&self, node: Expression, row: u32, done: &[Fp]) -> Result<Fp, FreedomError> {
        let system = &self.circuit.constraint_system;
        let of = |index: u32| get(done, index as usize);
        let cell = |columns: &[Vec<Fp>], queries: &[Query], query: u32| {
            let (column, row) = self.at(query_of(queries, query)?, row);
            columns
                .get(column as usize)
                .and_then(|column| column.get(row as usize))
                .copied()
                .ok_or(missing("a queried cell"))
        };
        Ok(match node {
            Expression::Constant(value) => element(value)?,
            Expression::Selector(index) => {
                Fp::from(u64::from(self.selectors.contains(&(index, row))))
            }
            Expression::Fixed(query) => cell(&self.fixed, &system.fixed_queries, query)?,
            Expression::Advice(query) => cell(&self.advice, &system.advice_queries, query)?,
            Expression::Instance(query) => cell(&self.instance, &system.instance_queries, query)?,
            Expression::Negated(a) => -of(a),
            Expression::Sum(a, b) => of(a) + of(b),
            Expression::Product(a, b) => of(a) * of(b),
            Expression::Scaled(a, by) => of(a) * element(by)?,
        })
    }
}

// === impl Matrix ===

impl Matrix {
    /// Adds a row, reduced by those before it.
    fn insert(&mut self, mut row: Gradient) {
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
}

// Small accessors: an index of a hostile circuit must not panic.

fn missing(what: &'static str) -> FreedomError {
    FreedomError::Malformed { what }
}

fn get(values: &[Fp], index: usize) -> Fp {
    values.get(index).copied().unwrap_or(Fp::ZERO)
}

fn set(values: &mut [Fp], index: usize, value: Fp) {
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}

fn mark(needed: &mut [bool], node: u32) {
    if let Some(slot) = needed.get_mut(node as usize) {
        *slot = true;
    }
}

fn query_of(queries: &[Query], index: u32) -> Result<Query, FreedomError> {
    queries
        .get(index as usize)
        .copied()
        .ok_or(missing("a query"))
}

fn operands(node: Expression) -> impl Iterator<Item = u32> {
    let (first, second) = match node {
        Expression::Negated(a) | Expression::Scaled(a, _) => (Some(a), None),
        Expression::Sum(a, b) | Expression::Product(a, b) => (Some(a), Some(b)),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

fn element(value: aureole_ir::FieldElement) -> Result<Fp, FreedomError> {
    Option::from(Fp::from_repr(value.0)).ok_or(missing("a canonical field element"))
}

fn elements(bytes: &[u8]) -> Result<Vec<Fp>, FreedomError> {
    let (chunks, _) = bytes.as_chunks::<32>();
    let chunks = chunks.iter();
    chunks
        .map(|chunk| element(aureole_ir::FieldElement(*chunk)))
        .collect()
}

fn advice_values(witness: &Witness, rows: u32) -> Result<Vec<Vec<Fp>>, FreedomError> {
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

fn fixed_values(circuit: &Circuit, rows: u32) -> Result<Vec<Vec<Fp>>, FreedomError> {
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

fn instance_values(
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
