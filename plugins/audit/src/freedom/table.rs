//! The filled-in circuit: values of every cell, cells that are one by copying, and the value and
//! derivatives of an expression on a row.

use std::collections::{BTreeMap, BTreeSet};

use aureole_ir::{Circuit, Column, ColumnKind, Expression, Query, Witness};
use ff::Field;
use pasta_curves::Fp;

use super::{FreedomError, Gradient, Unknown, missing, values};

/// A cell of any column; the known sort first, so that a class with one begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Known,
    Unknown(Unknown),
}

/// The rows of one proof: every value, and which cells are one.
pub(super) struct Table<'a> {
    circuit: &'a Circuit,
    rows: u32,
    advice: Vec<Vec<Fp>>,
    fixed: Vec<Vec<Fp>>,
    instance: Vec<Vec<Fp>>,
    instance_lengths: Vec<u32>,
    selectors: BTreeSet<(u32, u32)>,
    parents: BTreeMap<Unknown, Cell>,
}

// === impl Table ===

impl<'a> Table<'a> {
    pub(super) fn new(circuit: &'a Circuit, witness: &Witness) -> Result<Self, FreedomError> {
        let rows = 1_u32 << circuit.k;
        let mut table = Self {
            circuit,
            rows,
            advice: values::advice_values(witness, rows)?,
            fixed: values::fixed_values(circuit, rows)?,
            instance: values::instance_values(circuit, witness, rows)?,
            instance_lengths: circuit.instance_lengths(),
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
    pub(super) fn is_usable(&self, row: u32) -> bool {
        let last = self.selectors.iter().map(|(_, row)| *row).max();
        let assigned = self.circuit.layout.fixed_cells.iter().map(|c| c.row).max();
        row <= last.max(assigned).unwrap_or(0)
    }

    fn permuted(&self, position: u32, row: u32) -> Result<Cell, FreedomError> {
        let column = usize::try_from(position)
            .ok()
            .and_then(|position| self.circuit.constraint_system.permutation.get(position))
            .ok_or(missing("a permutation column"))?;
        Ok(self.cell(*column, row))
    }

    /// Advice and public inputs can move; what is fixed or beyond the public inputs cannot.
    fn cell(&self, column: Column, row: u32) -> Cell {
        let is_public = || {
            let length = self.instance_lengths.get(column.index as usize);
            length.is_some_and(|length| row < *length)
        };
        match column.kind {
            ColumnKind::Advice => Cell::Unknown(Unknown { row, column }),
            ColumnKind::Instance if is_public() => Cell::Unknown(Unknown { row, column }),
            ColumnKind::Instance | ColumnKind::Fixed => Cell::Known,
        }
    }

    fn root(&self, mut cell: Cell) -> Cell {
        while let Cell::Unknown(unknown) = cell {
            match self.parents.get(&unknown) {
                Some(parent) => cell = *parent,
                None => break,
            }
        }
        cell
    }

    fn unite(&mut self, left: Cell, right: Cell) {
        let (left, right) = (self.root(left), self.root(right));
        if let (parent, Cell::Unknown(child)) = (left.min(right), left.max(right))
            && parent != Cell::Unknown(child)
        {
            self.parents.insert(child, parent);
        }
    }

    /// Unknowns that take part in a copy, whether or not a gate mentions them.
    pub(super) fn copied_unknowns(&self) -> BTreeSet<Unknown> {
        let roots = self.parents.values().map(|parent| self.root(*parent));
        roots
            .filter_map(|root| match root {
                Cell::Unknown(unknown) => Some(unknown),
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
    pub(super) fn differentiate(
        &self,
        node: u32,
        row: u32,
    ) -> Result<(Fp, Gradient), FreedomError> {
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
                Expression::Scaled(a, by) => pass(a, values::element(by)?),
                Expression::Sum(a, b) => {
                    pass(a, Fp::ONE);
                    pass(b, Fp::ONE);
                }
                Expression::Product(a, b) => {
                    pass(a, get(&values, b as usize));
                    pass(b, get(&values, a as usize));
                }
                Expression::Advice(query) => {
                    let at = query_of(&system.advice_queries, query)?;
                    self.add(&mut gradient, ColumnKind::Advice, self.at(at, row), weight);
                }
                Expression::Instance(query) => {
                    let at = query_of(&system.instance_queries, query)?;
                    self.add(
                        &mut gradient,
                        ColumnKind::Instance,
                        self.at(at, row),
                        weight,
                    );
                }
                _ => {}
            }
        }
        gradient.retain(|_, weight| *weight != Fp::ZERO);
        Ok((get(&values, end - 1), gradient))
    }

    fn add(&self, gradient: &mut Gradient, kind: ColumnKind, at: (u32, u32), weight: Fp) {
        let (index, row) = at;
        if let Cell::Unknown(unknown) = self.root(self.cell(Column { kind, index }, row)) {
            *gradient.entry(unknown).or_insert(Fp::ZERO) += weight;
        }
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
            Expression::Constant(value) => values::element(value)?,
            Expression::Selector(index) => {
                Fp::from(u64::from(self.selectors.contains(&(index, row))))
            }
            Expression::Fixed(query) => cell(&self.fixed, &system.fixed_queries, query)?,
            Expression::Advice(query) => cell(&self.advice, &system.advice_queries, query)?,
            Expression::Instance(query) => cell(&self.instance, &system.instance_queries, query)?,
            Expression::Negated(a) => -of(a),
            Expression::Sum(a, b) => of(a) + of(b),
            Expression::Product(a, b) => of(a) * of(b),
            Expression::Scaled(a, by) => of(a) * values::element(by)?,
        })
    }
}

// Small accessors: an index of a hostile circuit must not panic.

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
