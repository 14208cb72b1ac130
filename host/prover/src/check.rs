//! Whether a witness satisfies its circuit, in milliseconds and before any time goes to a proof.
//!
//! The same answer as halo2's mock prover on the same cells, without its unbounded list of
//! failures and without their values: gates on all rows on which they can be on, with the random
//! rows at the end as *poison* that only a factor of zero removes; lookups on the usable rows;
//! copies. Differential tests hold the two together.

mod cells;
mod places;
mod probe;
mod program;

use std::collections::{BTreeMap, HashSet};

use aureole_ir::{
    Annotations, CheckedCircuit, Circuit, ColumnKind, Expression, Gate, Lookup, NodeIndex,
    Selector, Witness,
};
use ff::PrimeField;
use pasta_curves::Fp;
use rayon::prelude::*;

pub use self::probe::{Effort, Finding, FindingKind, FoundCell, Probed, probe};
use self::{
    cells::Cells,
    places::Reading,
    program::{Outcome, Program},
};
use crate::{
    Error, Failure, Fault, Place, Unsatisfied, Values,
    limits::{CHECK_ROWS_PER_JOB, FAILURES_MAX},
    rebuild,
};

/// A failure and the cells it reads on its row, from which its region is found.
struct Found {
    failure: Failure,
    readings: Vec<Reading>,
}

/// Rows on which one output of a program fails.
#[derive(Clone, Copy, Default)]
struct Tally {
    wrong: Rows,
    poisoned: Rows,
}

#[derive(Clone, Copy, Default)]
struct Rows {
    first: Option<u32>,
    count: u32,
}

/// Checks a witness.
///
/// # Errors
/// The first [`FAILURES_MAX`] failures, each for all its rows.
pub fn check(circuit: &CheckedCircuit, witness: &Witness) -> Result<(), Unsatisfied> {
    explain(circuit, &Annotations::default(), witness, Values::Hidden)
}

/// The failures of an unsatisfied witness with the regions they stand in; empty if it is
/// satisfied. At most [`FAILURES_MAX`].
#[must_use]
pub fn diagnose(
    circuit: &CheckedCircuit,
    annotations: &Annotations,
    witness: &Witness,
) -> Vec<Failure> {
    let explained = explain(circuit, annotations, witness, Values::Hidden);
    explained
        .err()
        .map_or_else(Vec::new, |unsatisfied| unsatisfied.failures)
}

/// Checks a witness and says of each failure in which region it stands and which cells it reads,
/// with what they hold if that was asked for.
///
/// # Errors
/// The first [`FAILURES_MAX`] failures, each for all its rows.
pub fn explain(
    circuit: &CheckedCircuit,
    annotations: &Annotations,
    witness: &Witness,
    values: Values,
) -> Result<(), Unsatisfied> {
    let malformed = |code: &str, detail: String| {
        let failures = vec![malformed(code, detail)];
        Err(Unsatisfied { failures, more: 0 })
    };
    if let Err(refusal) = circuit.check_witness(witness) {
        return malformed(refusal.code, refusal.to_string());
    }
    let cells = match Cells::new(circuit, witness) {
        Ok(cells) => cells,
        Err(error) => return malformed(error.code(), error.to_string()),
    };
    let found = match find(circuit.circuit(), &cells) {
        Ok(found) if found.is_empty() => return Ok(()),
        Ok(found) => found,
        Err(error) => return malformed(error.code(), error.to_string()),
    };
    let more = found.len().saturating_sub(FAILURES_MAX);
    let described = found.into_iter().take(FAILURES_MAX).map(|found| {
        let Found { failure, readings } = found;
        let region = places::locate(&annotations.regions, failure.row, &readings);
        let cells = places::describe(circuit.circuit(), &cells, &readings, values);
        Failure {
            region,
            cells,
            ..failure
        }
    });
    Err(Unsatisfied {
        failures: described.collect(),
        more: more.try_into().unwrap_or(u64::MAX),
    })
}

fn find(circuit: &Circuit, cells: &Cells) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for (index, gate) in (0..).zip(&circuit.constraint_system.gates) {
        found.extend(check_gate(circuit, cells, index, gate)?);
    }
    for (index, lookup) in (0..).zip(&circuit.constraint_system.lookups) {
        found.extend(check_lookup(circuit, cells, index, lookup)?);
    }
    found.extend(check_copies(circuit, cells));
    Ok(found)
}

fn malformed(code: &str, detail: String) -> Failure {
    let fault = Fault::Malformed {
        code: code.to_owned(),
        detail,
    };
    Failure::new(fault, 0, 0)
}

/// Constraints under one simple selector share a program, and so their common subexpressions.
fn check_gate(
    circuit: &Circuit,
    cells: &Cells,
    gate_index: u32,
    gate: &Gate,
) -> Result<Vec<Found>, Error> {
    let system = &circuit.constraint_system;
    let mut groups: BTreeMap<Option<u32>, Vec<(u32, NodeIndex)>> = BTreeMap::new();
    for (index, constraint) in (0..).zip(&gate.constraints) {
        let nodes = rebuild::reachable(&system.expressions, [constraint.expression]);
        let simple = nodes
            .iter()
            .find_map(|node| match system.expressions.get(*node as usize) {
                Some(Expression::Selector(selector))
                    if system.selectors.get(*selector as usize) == Some(&Selector::Simple) =>
                {
                    Some(*selector)
                }
                _ => None,
            });
        groups
            .entry(simple)
            .or_default()
            .push((index, constraint.expression));
    }

    let mut found = Vec::new();
    for (selector, constraints) in groups {
        let roots = constraints.iter().map(|(_, root)| *root);
        let program = Program::compile(system, roots)?;
        let rows = cells.rows_of(selector);
        let tallies = tally(&program, cells, &rows);
        for ((index, root), tally) in constraints.into_iter().zip(tallies) {
            let name = gate.constraints.get(index as usize).map(|c| c.name.clone());
            let name = name.unwrap_or_default();
            let gate_name = gate.name.clone();
            // As halo2's tool does: a poisoned constraint is reported by itself, besides.
            if let Some(row) = tally.wrong.first {
                let fault = Fault::Constraint {
                    gate: gate_index,
                    gate_name: gate_name.clone(),
                    constraint: index,
                    constraint_name: name.clone(),
                };
                let failure = Failure::new(fault, row, tally.wrong.count);
                found.push((
                    index,
                    Found {
                        failure,
                        readings: places::readings(system, [root], cells, row),
                    },
                ));
            }
            if let Some(row) = tally.poisoned.first {
                let fault = Fault::UnusableRow {
                    gate: gate_index,
                    gate_name,
                    constraint: index,
                    constraint_name: name,
                };
                let failure = Failure::new(fault, row, tally.poisoned.count);
                found.push((
                    index,
                    Found {
                        failure,
                        readings: places::readings(system, [root], cells, row),
                    },
                ));
            }
        }
    }
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

fn tally(program: &Program, cells: &Cells, rows: &[u32]) -> Vec<Tally> {
    let outputs = program.outputs();
    rows.par_chunks(CHECK_ROWS_PER_JOB)
        .map(|rows| {
            let mut scratch = program.scratch();
            let mut tallies = vec![Tally::default(); outputs];
            for row in rows {
                program.run(cells, *row, &mut scratch);
                for (tally, outcome) in tallies.iter_mut().zip(program.outcomes(&scratch)) {
                    match outcome {
                        Outcome::Value(value) if value == Fp::zero() => {}
                        Outcome::Value(_) => tally.wrong.add(*row),
                        Outcome::Poison => tally.poisoned.add(*row),
                    }
                }
            }
            tallies
        })
        .reduce(
            || vec![Tally::default(); outputs],
            |left, right| {
                let pairs = left.into_iter().zip(right);
                pairs
                    .map(|(left, right)| Tally {
                        wrong: left.wrong.merge(right.wrong),
                        poisoned: left.poisoned.merge(right.poisoned),
                    })
                    .collect()
            },
        )
}

fn check_lookup(
    circuit: &Circuit,
    cells: &Cells,
    index: u32,
    lookup: &Lookup,
) -> Result<Option<Found>, Error> {
    let system = &circuit.constraint_system;
    let table = table(cells, lookup);
    let program = Program::compile(system, lookup.inputs.iter().copied())?;
    let rows: Vec<u32> = (0..cells.usable()).collect();
    let failing = rows
        .par_chunks(CHECK_ROWS_PER_JOB)
        .map(|rows| {
            let mut scratch = program.scratch();
            let mut tuple = Vec::new();
            let mut failing = Rows::default();
            for row in rows {
                program.run(cells, *row, &mut scratch);
                tuple.clear();
                tuple.extend(
                    program
                        .outcomes(&scratch)
                        .filter_map(|outcome| match outcome {
                            Outcome::Value(value) => Some(value.to_repr()),
                            Outcome::Poison => None,
                        }),
                );
                // A poisoned input leaves a shorter tuple, which no table holds.
                if !table.contains(&tuple) {
                    failing.add(*row);
                }
            }
            failing
        })
        .reduce(Rows::default, Rows::merge);
    Ok(failing.first.map(|row| {
        let fault = Fault::Lookup { lookup: index };
        let failure = Failure::new(fault, row, failing.count);
        Found {
            failure,
            readings: places::readings(system, lookup.inputs.iter().copied(), cells, row),
        }
    }))
}

/// The rows of a lookup's table.
fn table(cells: &Cells, lookup: &Lookup) -> HashSet<Vec<[u8; 32]>> {
    let rows = 0..cells.usable();
    rows.map(|row| {
        let columns = lookup.table.iter();
        columns
            .map(|column| cells.fixed(*column, row).to_repr())
            .collect()
    })
    .collect()
}

fn check_copies(circuit: &Circuit, cells: &Cells) -> Vec<Found> {
    let permutation = &circuit.constraint_system.permutation;
    let mut found = Vec::new();
    for copy in &circuit.layout.copies {
        let column = |index: u32| permutation.get(index as usize).copied();
        let (Some(left), Some(right)) = (column(copy.left_column), column(copy.right_column))
        else {
            continue;
        };
        if cells.at(left, copy.left_row) != cells.at(right, copy.right_row) {
            let place =
                |column, row| Place::new(column, row, places::public_input(circuit, column, row));
            // The row of the cell that is not a public input says where the author looks.
            let row = if left.kind == ColumnKind::Instance {
                copy.right_row
            } else {
                copy.left_row
            };
            let fault = Fault::Copy {
                left: place(left, copy.left_row),
                right: place(right, copy.right_row),
            };
            let failure = Failure::new(fault, row, 1);
            let readings = vec![
                Reading::new(left, copy.left_row),
                Reading::new(right, copy.right_row),
            ];
            found.push(Found { failure, readings });
        }
    }
    found
}

// === impl Rows ===

impl Rows {
    fn add(&mut self, row: u32) {
        self.first = Some(self.first.map_or(row, |first| first.min(row)));
        self.count = self.count.saturating_add(1);
    }

    fn merge(self, other: Self) -> Self {
        let first = match (self.first, other.first) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        Self {
            first,
            count: self.count.saturating_add(other.count),
        }
    }
}
