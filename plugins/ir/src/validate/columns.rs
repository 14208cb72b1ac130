//! Counts, queries, the permutation and the constants columns.

use std::collections::BTreeSet;

use super::count;
use super::rows::Rows;
use crate::refusal::{self, Refusal};
use crate::{Column, ColumnKind, ConstraintSystem, Limits, Query};

/// Checks every count, so that nothing after it is large.
pub(super) fn counts(cs: &ConstraintSystem, limits: &Limits) -> Result<(), Refusal> {
    let columns =
        u64::from(cs.advice_columns) + u64::from(cs.fixed_columns) + u64::from(cs.instance_columns);
    at_most(refusal::COLUMN, "columns", columns, limits.columns_max)?;
    let queries = u64::from(count(&cs.advice_queries))
        + u64::from(count(&cs.fixed_queries))
        + u64::from(count(&cs.instance_queries));
    let constraints: u64 = cs
        .gates
        .iter()
        .map(|gate| u64::from(count(&gate.constraints)))
        .sum();
    let counts = [
        (
            refusal::SELECTOR,
            "selectors",
            count(&cs.selectors),
            limits.selectors_max,
        ),
        (refusal::SIZE, "gates", count(&cs.gates), limits.gates_max),
        (
            refusal::LOOKUP,
            "lookups",
            count(&cs.lookups),
            limits.lookups_max,
        ),
        (
            refusal::SIZE,
            "expressions",
            count(&cs.expressions),
            limits.expressions_max,
        ),
        (
            refusal::COLUMN,
            "permutation columns",
            count(&cs.permutation),
            limits.columns_max,
        ),
        (
            refusal::COLUMN,
            "constants columns",
            count(&cs.constants),
            limits.columns_max,
        ),
    ];
    for (code, item, value, limit) in counts {
        at_most(code, item, value.into(), limit)?;
    }
    at_most(refusal::SIZE, "queries", queries, limits.queries_max)?;
    at_most(
        refusal::SIZE,
        "constraints",
        constraints,
        limits.constraints_max,
    )
}

/// Checks the query lists against the columns, the rows and what halo2 itself would make.
pub(super) fn queries(cs: &ConstraintSystem, rows: &Rows, limits: &Limits) -> Result<(), Refusal> {
    // A column opened at two rotations that differ by 2^k is opened twice at one point, and then
    // a proof says nothing. Less than half of the rows either way keeps every two apart.
    let rotation_max = limits
        .rotation_max
        .min(rows.all.div_ceil(2).saturating_sub(1));
    for (kind, columns, list) in lists(cs) {
        let mut seen = BTreeSet::new();
        for (index, query) in list.iter().enumerate() {
            let item = || format!("{kind} query {index} (column {})", query.column);
            if query.column >= columns {
                return Err(Refusal::new(
                    refusal::COLUMN,
                    item(),
                    format!("there are {columns} {kind} columns, numbered from 0"),
                ));
            }
            if query.rotation.unsigned_abs() > rotation_max {
                return Err(Refusal::new(
                    refusal::ROTATION,
                    item(),
                    format!(
                        "rotation {} is beyond the limit of {rotation_max} either way for {} rows",
                        query.rotation, rows.all
                    ),
                ));
            }
            if kind == "fixed" && query.rotation != 0 {
                return Err(Refusal::new(
                    refusal::ROTATION,
                    item(),
                    format!(
                        "rotation {}: halo2 reads fixed columns on the current row only",
                        query.rotation
                    ),
                ));
            }
            if !seen.insert(*query) {
                return Err(Refusal::new(
                    refusal::COLUMN,
                    item(),
                    format!("rotation {} stands in the list already", query.rotation),
                ));
            }
        }
    }
    Ok(())
}

/// Checks the columns under equality constraints and those for constants.
pub(super) fn permutation(cs: &ConstraintSystem) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for (index, column) in cs.permutation.iter().enumerate() {
        let item = || format!("permutation column {index} ({})", name(*column));
        let (columns, queries) = of_kind(cs, column.kind);
        if column.index >= columns {
            return Err(Refusal::new(
                refusal::COLUMN,
                item(),
                format!("there are {columns} columns of this kind, numbered from 0"),
            ));
        }
        if !seen.insert(*column) {
            return Err(Refusal::new(
                refusal::COLUMN,
                item(),
                "the column stands in the permutation already",
            ));
        }
        let current = Query {
            column: column.index,
            rotation: 0,
        };
        if !queries.contains(&current) {
            return Err(Refusal::new(
                refusal::COLUMN,
                item(),
                "a column under equality constraints must be queried at rotation 0",
            ));
        }
    }
    let mut constants = BTreeSet::new();
    for (index, column) in cs.constants.iter().enumerate() {
        let item = || format!("constants column {index} (fixed column {column})");
        if !constants.insert(*column) {
            return Err(Refusal::new(
                refusal::COLUMN,
                item(),
                "the column stands in the list already",
            ));
        }
        let fixed = Column {
            kind: ColumnKind::Fixed,
            index: *column,
        };
        if !seen.contains(&fixed) {
            return Err(Refusal::new(
                refusal::COLUMN,
                item(),
                "a column for constants must be under equality constraints",
            ));
        }
    }
    queries_without_gates(cs)
}

/// Without a gate or a lookup only `enable_equality` makes queries, in the permutation's order.
fn queries_without_gates(cs: &ConstraintSystem) -> Result<(), Refusal> {
    if !cs.gates.is_empty() || !cs.lookups.is_empty() {
        return Ok(());
    }
    for kind in [ColumnKind::Advice, ColumnKind::Fixed, ColumnKind::Instance] {
        let expected = cs.permutation.iter().filter(|column| column.kind == kind);
        let (_, queries) = of_kind(cs, kind);
        if !expected
            .map(|column| column.index)
            .eq(queries.iter().map(|query| query.column))
        {
            return Err(Refusal::new(
                refusal::COLUMN,
                format!("{} queries", word(kind)),
                "in a circuit without gates and lookups they are the permutation's columns, in \
                 its order",
            ));
        }
    }
    Ok(())
}

fn lists(cs: &ConstraintSystem) -> [(&'static str, u32, &[Query]); 3] {
    [ColumnKind::Advice, ColumnKind::Fixed, ColumnKind::Instance].map(|kind| {
        let (columns, queries) = of_kind(cs, kind);
        (word(kind), columns, queries)
    })
}

fn of_kind(cs: &ConstraintSystem, kind: ColumnKind) -> (u32, &[Query]) {
    match kind {
        ColumnKind::Advice => (cs.advice_columns, &cs.advice_queries),
        ColumnKind::Fixed => (cs.fixed_columns, &cs.fixed_queries),
        ColumnKind::Instance => (cs.instance_columns, &cs.instance_queries),
    }
}

fn word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Advice => "advice",
        ColumnKind::Fixed => "fixed",
        ColumnKind::Instance => "instance",
    }
}

/// How messages call a column.
fn name(column: Column) -> String {
    format!("{} column {}", word(column.kind), column.index)
}

fn at_most(code: &'static str, item: &str, value: u64, limit: u32) -> Result<(), Refusal> {
    if value > u64::from(limit) {
        return Err(Refusal::above(code, item, value, limit.into()));
    }
    Ok(())
}
