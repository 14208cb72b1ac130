//! Cells that copies make equal, as one value.

use std::collections::BTreeMap;

use aureole_ir::{CheckedCircuit, Column, ColumnKind};

use crate::check::cells::Cells;

/// An advice cell; ordered from the first row down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::check) struct Spot {
    pub(in crate::check) row: u32,
    pub(in crate::check) column: u32,
}

/// Advice cells that hold one value.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) spots: Vec<Spot>,
    /// A public input or a fixed cell is among the copies.
    pub(super) pinned: bool,
}

/// Every usable advice cell, each in one class.
pub(super) struct Classes {
    pub(super) all: Vec<Class>,
    index: BTreeMap<Spot, usize>,
}

// === impl Classes ===

impl Classes {
    pub(super) fn new(circuit: &CheckedCircuit, cells: &Cells) -> Self {
        let mut sets = Sets::default();
        let system = &circuit.circuit().constraint_system;
        for copy in &circuit.circuit().layout.copies {
            let cell = |column: u32, row| {
                let column = system.permutation.get(column as usize)?;
                Some((*column, row))
            };
            if let (Some(left), Some(right)) = (
                cell(copy.left_column, copy.left_row),
                cell(copy.right_column, copy.right_row),
            ) {
                sets.join(left, right);
            }
        }
        let mut by_root: BTreeMap<usize, Class> = BTreeMap::new();
        let members: Vec<((Column, u32), usize)> = sets
            .number
            .iter()
            .map(|(cell, number)| (*cell, *number))
            .collect();
        let mut copied = std::collections::BTreeSet::new();
        for ((column, row), number) in members {
            let class = by_root.entry(sets.root(number)).or_default();
            if column.kind == ColumnKind::Advice {
                let spot = Spot {
                    row,
                    column: column.index,
                };
                copied.insert(spot);
                class.spots.push(spot);
            } else {
                class.pinned = true;
            }
        }
        let mut all: Vec<Class> = by_root
            .into_values()
            .filter(|class| !class.spots.is_empty())
            .collect();
        all.iter_mut().for_each(|class| class.spots.sort_unstable());
        for row in 0..cells.usable() {
            for column in 0..system.advice_columns {
                let spot = Spot { row, column };
                if !copied.contains(&spot) {
                    all.push(Class {
                        spots: vec![spot],
                        pinned: false,
                    });
                }
            }
        }
        all.sort_by_key(|class| class.spots.first().copied());
        let spots = all.iter().enumerate();
        let index = spots
            .flat_map(|(index, class)| class.spots.iter().map(move |spot| (*spot, index)))
            .collect();
        Self { all, index }
    }

    pub(super) fn of(&self, spot: Spot) -> Option<&Class> {
        self.all.get(*self.index.get(&spot)?)
    }
}

/// Disjoint sets of cells.
#[derive(Default)]
struct Sets {
    number: BTreeMap<(Column, u32), usize>,
    parents: Vec<usize>,
}

// === impl Sets ===

impl Sets {
    fn join(&mut self, left: (Column, u32), right: (Column, u32)) {
        let (left, right) = (self.find(left), self.find(right));
        if let Some(parent) = self.parents.get_mut(left.max(right)) {
            *parent = left.min(right);
        }
    }

    fn find(&mut self, cell: (Column, u32)) -> usize {
        let number = *self.number.entry(cell).or_insert_with(|| {
            self.parents.push(self.parents.len());
            self.parents.len() - 1
        });
        self.root(number)
    }

    /// The set's number; the way there is halved, so that chains of copies stay short.
    fn root(&mut self, mut number: usize) -> usize {
        loop {
            let parent = self.parents.get(number).copied().unwrap_or(number);
            if parent == number {
                return number;
            }
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(number) {
                *slot = above;
            }
            number = above;
        }
    }
}
