//! Constraints and lookups one by one, and which of them see a cell.

use std::collections::HashSet;

use aureole_ir::{Circuit, ColumnKind, Expression, Selector};
use ff::{Field, PrimeField};
use pasta_curves::Fp;

use super::classes::Spot;
use crate::{
    Error,
    check::{
        cells::Cells,
        program::{self, Outcome, Program},
    },
    limits::FINDING_READERS_MAX,
    rebuild,
};

/// A constraint or lookup on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight {
    unit: usize,
    row: u32,
}

/// All constraints and lookups of a circuit.
pub(super) struct Units {
    units: Vec<Unit>,
    /// For each advice column, the units that query it and at which rotation.
    readers: Vec<Vec<(usize, i32)>>,
}

struct Unit {
    program: Program,
    /// The advice it reads.
    queries: Vec<(u32, i32)>,
    /// The only rows on which it can be on.
    simple: Option<u32>,
    what: What,
}

enum What {
    Constraint {
        gate: usize,
        constraint: usize,
    },
    Lookup {
        index: usize,
        table: HashSet<Vec<[u8; 32]>>,
    },
}

// === impl Units ===

impl Units {
    pub(super) fn new(circuit: &Circuit, cells: &Cells) -> Result<Self, Error> {
        let system = &circuit.constraint_system;
        let mut units = Vec::new();
        let advice = |roots: &[u32]| {
            let readings = program::readings(system, roots.iter().copied()).into_iter();
            let advice = readings.filter(|(column, _)| column.kind == ColumnKind::Advice);
            advice
                .map(|(column, rotation)| (column.index, rotation))
                .collect::<Vec<_>>()
        };
        for (gate, of) in system.gates.iter().enumerate() {
            for (constraint, polynomial) in of.constraints.iter().enumerate() {
                let root = [polynomial.expression];
                let nodes = rebuild::reachable(&system.expressions, root);
                let simple = nodes.into_iter().find_map(|node| {
                    match system.expressions.get(node as usize) {
                        Some(Expression::Selector(selector)) => {
                            let kind = system.selectors.get(*selector as usize);
                            (kind == Some(&Selector::Simple)).then_some(*selector)
                        }
                        _ => None,
                    }
                });
                units.push(Unit {
                    program: Program::compile(system, root)?,
                    queries: advice(&root),
                    simple,
                    what: What::Constraint { gate, constraint },
                });
            }
        }
        for (index, lookup) in system.lookups.iter().enumerate() {
            units.push(Unit {
                program: Program::compile(system, lookup.inputs.iter().copied())?,
                queries: advice(&lookup.inputs),
                simple: None,
                what: What::Lookup {
                    index,
                    table: super::super::table(cells, lookup),
                },
            });
        }
        let mut readers = vec![Vec::new(); system.advice_columns as usize];
        for (index, unit) in units.iter().enumerate() {
            for (column, rotation) in &unit.queries {
                if let Some(readers) = readers.get_mut(*column as usize) {
                    readers.push((index, *rotation));
                }
            }
        }
        Ok(Self { units, readers })
    }

    /// The constraints and lookups that depend on any of some cells, whatever the others hold.
    pub(super) fn sights(&self, spots: &[Spot], noise: &mut Cells) -> Vec<Sight> {
        let mut sights = Vec::new();
        for spot in spots {
            for (index, rotation) in self.readers.get(spot.column as usize).into_iter().flatten() {
                let row = noise.rotate(spot.row, rotation.saturating_neg());
                let Some(unit) = self.units.get(*index) else {
                    continue;
                };
                let sight = Sight { unit: *index, row };
                if !unit.can_be_on(noise, row) || sights.contains(&sight) {
                    continue;
                }
                noise.poison(Some((spot.column, spot.row)));
                let mut scratch = unit.program.scratch();
                unit.program.run(noise, row, &mut scratch);
                let seen = unit
                    .program
                    .outcomes(&scratch)
                    .any(|o| matches!(o, Outcome::Poison));
                noise.poison(None);
                if seen {
                    sights.push(sight);
                }
            }
        }
        sights
    }

    /// The first that does not hold.
    pub(super) fn broken(&self, sights: &[Sight], cells: &Cells) -> Option<Sight> {
        sights
            .iter()
            .copied()
            .find(|sight| !self.holds(*sight, cells))
    }

    fn holds(&self, sight: Sight, cells: &Cells) -> bool {
        let Some(unit) = self.units.get(sight.unit) else {
            return true;
        };
        let mut scratch = unit.program.scratch();
        unit.program.run(cells, sight.row, &mut scratch);
        let mut outcomes = unit.program.outcomes(&scratch);
        match &unit.what {
            What::Constraint { .. } => outcomes
                .all(|outcome| matches!(outcome, Outcome::Value(value) if value == Fp::ZERO)),
            What::Lookup { table, .. } => {
                let tuple = outcomes.filter_map(|outcome| match outcome {
                    Outcome::Value(value) => Some(value.to_repr()),
                    Outcome::Poison => None,
                });
                table.contains(&tuple.collect::<Vec<_>>())
            }
        }
    }

    /// The advice cells that a constraint or lookup reads, usable ones only.
    pub(super) fn reads(&self, sight: Sight, cells: &Cells) -> Vec<Spot> {
        let queries = self
            .units
            .get(sight.unit)
            .map_or(&[][..], |unit| &unit.queries);
        let spots = queries.iter().map(|(column, rotation)| Spot {
            row: cells.rotate(sight.row, *rotation),
            column: *column,
        });
        let mut spots: Vec<Spot> = spots.filter(|spot| spot.row < cells.usable()).collect();
        spots.sort_unstable();
        spots.dedup();
        spots
    }

    /// The value of some cells that makes a broken constraint hold, if it depends on them
    /// linearly. A broken lookup has no such value.
    pub(super) fn solve(
        &self,
        sight: Sight,
        spots: &[Spot],
        value: Fp,
        cells: &mut Cells,
    ) -> Option<Fp> {
        let unit = self.units.get(sight.unit)?;
        if !matches!(unit.what, What::Constraint { .. }) {
            return None;
        }
        let mut at = |value: Fp| {
            cells.put(spots, value);
            let mut scratch = unit.program.scratch();
            unit.program.run(cells, sight.row, &mut scratch);
            match unit.program.outcomes(&scratch).next() {
                Some(Outcome::Value(value)) => Some(value),
                _ => None,
            }
        };
        let (first, second) = (at(value)?, at(value + Fp::ONE)?);
        let third = at(value + Fp::from(2))?;
        cells.put(spots, value);
        let slope = second - first;
        if third - second != slope {
            return None;
        }
        let inverse: Option<Fp> = slope.invert().into();
        Some(value - first * inverse?)
    }

    /// Names of constraints and lookups, each once.
    pub(super) fn names(&self, circuit: &Circuit, sights: &[Sight]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let units = sights.iter().filter_map(|sight| self.units.get(sight.unit));
        for name in units.map(|unit| unit.name(circuit)) {
            if !names.contains(&name) && names.len() < FINDING_READERS_MAX {
                names.push(name);
            }
        }
        names
    }
}

// === impl Unit ===

impl Unit {
    fn can_be_on(&self, cells: &Cells, row: u32) -> bool {
        match (&self.what, self.simple) {
            (What::Lookup { .. }, _) => row < cells.usable(),
            (_, Some(selector)) => cells.selector(selector, row) == Fp::ONE,
            (_, None) => true,
        }
    }

    fn name(&self, circuit: &Circuit) -> String {
        match &self.what {
            What::Lookup { index, .. } => format!("lookup {index}"),
            What::Constraint { gate, constraint } => {
                let of = circuit.constraint_system.gates.get(*gate);
                let gate_name = of.map_or("", |gate| &gate.name);
                let name = of
                    .and_then(|gate| gate.constraints.get(*constraint))
                    .map_or("", |constraint| &constraint.name);
                if name.is_empty() {
                    format!("gate {gate} '{gate_name}' constraint {constraint}")
                } else {
                    format!("gate {gate} '{gate_name}' constraint {constraint} '{name}'")
                }
            }
        }
    }
}
