//! Public inputs that nothing binds, and those that repeat a value which nobody computed.

use std::collections::BTreeSet;

use super::{Lint, Nodes, expressions::Computed};
use crate::{CheckedCircuit, Circuit, ColumnKind, SelectorRow};

/// Cells that are looked at for one public input. 65,536: a constant that is copied into every row of
/// four columns at k = 14; whoever copies more often is left alone.
const CELLS_MAX: usize = 1 << 16;

/// A cell under equality constraints: position in the permutation, and row.
type Cell = (u32, u32);

/// What a public input's cell is equal to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// To no cell of the circuit's own.
    Nothing,
    /// To advice cells that no gate computes.
    Free,
    /// To a constant, to something computed, or to too many cells to tell.
    Computed,
}

pub(super) fn lints(checked: &CheckedCircuit, nodes: &Nodes) -> Vec<Lint> {
    let circuit = checked.circuit();
    let cs = &circuit.constraint_system;
    let queried = nodes.instance_columns(cs);
    let copies = Copies::of(circuit);
    let computed = nodes.computed(cs);
    let mut first_rows = vec![0_u32; cs.instance_columns as usize];
    let mut lints = Vec::new();
    for input in &circuit.public_inputs {
        let Some(next) = first_rows.get_mut(input.column as usize) else {
            continue;
        };
        let rows = *next..next.saturating_add(input.rows);
        *next = rows.end;
        // What a gate reads is bound there, and may be computed there.
        if queried.contains(&input.column) {
            continue;
        }
        let position = cs
            .permutation
            .iter()
            .position(|column| column.kind == ColumnKind::Instance && column.index == input.column);
        let bounds: Vec<Bound> = rows
            .map(|row| {
                position.map_or(Bound::Nothing, |position| {
                    let cell = (u32::try_from(position).unwrap_or(u32::MAX), row);
                    copies.bound(cell, checked, &computed)
                })
            })
            .collect();
        let item = || format!("public input `{}`", input.name);
        if bounds.contains(&Bound::Nothing) {
            lints.push(Lint::new(
                "lint.public_input_unbound",
                item(),
                "no gate reads it and no cell is copied to it: a proof says nothing about it",
            ));
        } else if bounds.contains(&Bound::Free) {
            lints.push(Lint::new(
                "lint.public_input_free",
                item(),
                "it repeats a cell that no gate computes from others: whoever verifies a proof \
                 reads a value of the input as it was given, which is right for what is meant to \
                 be public and wrong for a secret",
            ));
        }
    }
    lints
}

/// All copies, in both directions, sorted.
struct Copies(Vec<(Cell, Cell)>);

// === impl Copies ===

impl Copies {
    fn of(circuit: &Circuit) -> Self {
        let mut pairs: Vec<(Cell, Cell)> = circuit
            .layout
            .copies
            .iter()
            .flat_map(|copy| {
                let left = (copy.left_column, copy.left_row);
                let right = (copy.right_column, copy.right_row);
                [(left, right), (right, left)]
            })
            .collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    fn bound(&self, cell: Cell, checked: &CheckedCircuit, computed: &[Computed]) -> Bound {
        let circuit = checked.circuit();
        let rows = checked.shape().rows;
        let mut bound = Bound::Nothing;
        let (mut seen, mut open) = (BTreeSet::from([cell]), vec![cell]);
        while let Some(cell) = open.pop() {
            if seen.len() > CELLS_MAX {
                return Bound::Computed;
            }
            let (position, row) = cell;
            let column = circuit.constraint_system.permutation.get(position as usize);
            match column.map(|column| (column.kind, column.index)) {
                Some((ColumnKind::Fixed, _)) => return Bound::Computed,
                Some((ColumnKind::Advice, column)) => {
                    let mut ways = computed.iter().filter(|way| way.query.column == column);
                    if ways.any(|way| is_on(circuit, way, row, rows)) {
                        return Bound::Computed;
                    }
                    bound = Bound::Free;
                }
                _ => {}
            }
            let from = self.0.partition_point(|(left, _)| *left < cell);
            let equal = self
                .0
                .iter()
                .skip(from)
                .take_while(|(left, _)| *left == cell);
            open.extend(
                equal
                    .map(|(_, right)| *right)
                    .filter(|right| seen.insert(*right)),
            );
        }
        bound
    }
}

/// Whether a constraint determines its query's cell in this row of the column.
fn is_on(circuit: &Circuit, way: &Computed, row: u32, rows: u32) -> bool {
    if way.selectors.is_empty() {
        return true;
    }
    let at = i64::from(row) - i64::from(way.query.rotation);
    let Ok(row) = u32::try_from(at.rem_euclid(i64::from(rows.max(1)))) else {
        return false;
    };
    way.selectors.iter().any(|selector| {
        let active = SelectorRow {
            selector: *selector,
            row,
        };
        circuit.layout.selector_rows.binary_search(&active).is_ok()
    })
}
