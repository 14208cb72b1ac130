//! A circuit as bytes: fields in the order of their declaration.

use super::{Reader, Writer};
use crate::{
    Backend, Circuit, Column, ColumnKind, Constraint, ConstraintSystem, DecodeError, Expression,
    Field, Fill, Gate, Layout, Lookup, PublicInput, Query, Selector, flat,
};

pub(super) fn write(w: &mut Writer, circuit: &Circuit) {
    match circuit.backend {
        Backend::Halo2Ipa => w.tag(1),
    }
    match circuit.field {
        Field::PallasBase => w.tag(1),
    }
    w.u32(circuit.k);
    write_constraint_system(w, &circuit.constraint_system);
    write_layout(w, &circuit.layout);
    w.list(&circuit.public_inputs, |w, input| {
        w.text(&input.name);
        w.u32(input.column);
        w.u32(input.rows);
    });
}

pub(super) fn read(r: &mut Reader<'_>) -> Result<Circuit, DecodeError> {
    Ok(Circuit {
        backend: match r.tag("backend")? {
            1 => Backend::Halo2Ipa,
            other => return Err(tag("backend", other)),
        },
        field: match r.tag("field")? {
            1 => Field::PallasBase,
            other => return Err(tag("field", other)),
        },
        k: r.u32("k")?,
        constraint_system: read_constraint_system(r)?,
        layout: read_layout(r)?,
        public_inputs: r.list("public inputs", 12, |r| {
            Ok(PublicInput {
                name: r.text("a public input's name")?,
                column: r.u32("a public input's column")?,
                rows: r.u32("a public input's rows")?,
            })
        })?,
    })
}

fn write_constraint_system(w: &mut Writer, cs: &ConstraintSystem) {
    w.u32(cs.fixed_columns);
    w.u32(cs.advice_columns);
    w.u32(cs.instance_columns);
    w.list(&cs.selectors, |w, selector| match selector {
        Selector::Simple => w.tag(1),
        Selector::Complex => w.tag(2),
    });
    for queries in [&cs.advice_queries, &cs.instance_queries, &cs.fixed_queries] {
        w.list(queries, |w, query| {
            w.u32(query.column);
            w.i32(query.rotation);
        });
    }
    w.list(&cs.expressions, write_expression);
    w.list(&cs.gates, |w, gate| {
        w.text(&gate.name);
        w.list(&gate.constraints, |w, constraint| {
            w.text(&constraint.name);
            w.u32(constraint.expression);
        });
    });
    w.list(&cs.lookups, |w, lookup| {
        w.list(&lookup.inputs, |w, input| w.u32(*input));
        w.list(&lookup.table, |w, column| w.u32(*column));
    });
    w.list(&cs.permutation, write_column);
    w.list(&cs.constants, |w, column| w.u32(*column));
    match cs.minimum_degree {
        None => w.tag(0),
        Some(degree) => {
            w.tag(1);
            w.u32(degree);
        }
    }
}

fn read_constraint_system(r: &mut Reader<'_>) -> Result<ConstraintSystem, DecodeError> {
    Ok(ConstraintSystem {
        fixed_columns: r.u32("fixed columns")?,
        advice_columns: r.u32("advice columns")?,
        instance_columns: r.u32("instance columns")?,
        selectors: r.list("selectors", 1, |r| match r.tag("selector")? {
            1 => Ok(Selector::Simple),
            2 => Ok(Selector::Complex),
            other => Err(tag("kind of selector", other)),
        })?,
        advice_queries: read_queries(r, "advice queries")?,
        instance_queries: read_queries(r, "instance queries")?,
        fixed_queries: read_queries(r, "fixed queries")?,
        expressions: r.list("expressions", 5, read_expression)?,
        gates: r.list("gates", 8, |r| {
            Ok(Gate {
                name: r.text("a gate's name")?,
                constraints: r.list("constraints", 8, |r| {
                    Ok(Constraint {
                        name: r.text("a constraint's name")?,
                        expression: r.u32("a constraint's expression")?,
                    })
                })?,
            })
        })?,
        lookups: r.list("lookups", 8, |r| {
            Ok(Lookup {
                inputs: r.list("lookup inputs", 4, |r| r.u32("a lookup input"))?,
                table: r.list("lookup tables", 4, |r| r.u32("a table column"))?,
            })
        })?,
        permutation: r.list("permutation", 5, read_column)?,
        constants: r.list("constants", 4, |r| r.u32("a constants column"))?,
        minimum_degree: match r.tag("minimum degree")? {
            0 => None,
            1 => Some(r.u32("minimum degree")?),
            other => return Err(tag("option", other)),
        },
    })
}

fn read_queries(r: &mut Reader<'_>, what: &'static str) -> Result<Vec<Query>, DecodeError> {
    r.list(what, 8, |r| {
        Ok(Query {
            column: r.u32(what)?,
            rotation: r.i32(what)?,
        })
    })
}

fn write_expression(w: &mut Writer, expression: &Expression) {
    let (tag, operand) = match *expression {
        Expression::Constant(value) => {
            w.tag(1);
            return w.field(&value);
        }
        Expression::Selector(index) => (2, index),
        Expression::Fixed(index) => (3, index),
        Expression::Advice(index) => (4, index),
        Expression::Instance(index) => (5, index),
        Expression::Negated(node) => (6, node),
        Expression::Sum(left, _) => (7, left),
        Expression::Product(left, _) => (8, left),
        Expression::Scaled(node, _) => (9, node),
    };
    w.tag(tag);
    w.u32(operand);
    match expression {
        Expression::Sum(_, right) | Expression::Product(_, right) => w.u32(*right),
        Expression::Scaled(_, value) => w.field(value),
        _ => {}
    }
}

fn read_expression(r: &mut Reader<'_>) -> Result<Expression, DecodeError> {
    const WHAT: &str = "an expression";
    Ok(match r.tag(WHAT)? {
        1 => Expression::Constant(r.field(WHAT)?),
        2 => Expression::Selector(r.u32(WHAT)?),
        3 => Expression::Fixed(r.u32(WHAT)?),
        4 => Expression::Advice(r.u32(WHAT)?),
        5 => Expression::Instance(r.u32(WHAT)?),
        6 => Expression::Negated(r.u32(WHAT)?),
        7 => Expression::Sum(r.u32(WHAT)?, r.u32(WHAT)?),
        8 => Expression::Product(r.u32(WHAT)?, r.u32(WHAT)?),
        9 => Expression::Scaled(r.u32(WHAT)?, r.field(WHAT)?),
        other => return Err(tag("kind of expression", other)),
    })
}

fn write_layout(w: &mut Writer, layout: &Layout) {
    w.list(&layout.fixed_fills, |w, fill| {
        w.u32(fill.column);
        w.u32(fill.from_row);
        w.field(&fill.value);
    });
    w.records(
        layout.fixed_cells.len(),
        &flat::fixed_cells_bytes(&layout.fixed_cells),
    );
    w.records(
        layout.selector_rows.len(),
        &flat::selector_rows_bytes(&layout.selector_rows),
    );
    w.records(layout.copies.len(), &flat::copies_bytes(&layout.copies));
}

fn read_layout(r: &mut Reader<'_>) -> Result<Layout, DecodeError> {
    Ok(Layout {
        fixed_fills: r.list("fills", 40, |r| {
            Ok(Fill {
                column: r.u32("a fill's column")?,
                from_row: r.u32("a fill's first row")?,
                value: r.field("a fill's value")?,
            })
        })?,
        fixed_cells: flat::fixed_cells(r.records("fixed cells", 40)?)?,
        selector_rows: flat::selector_rows(r.records("selector rows", 8)?)?,
        copies: flat::copies(r.records("copies", 16)?)?,
    })
}

pub(super) fn write_column(w: &mut Writer, column: &Column) {
    w.tag(match column.kind {
        ColumnKind::Advice => 1,
        ColumnKind::Fixed => 2,
        ColumnKind::Instance => 3,
    });
    w.u32(column.index);
}

pub(super) fn read_column(r: &mut Reader<'_>) -> Result<Column, DecodeError> {
    let kind = match r.tag("a column")? {
        1 => ColumnKind::Advice,
        2 => ColumnKind::Fixed,
        3 => ColumnKind::Instance,
        other => return Err(tag("kind of column", other)),
    };
    let index = r.u32("a column")?;
    Ok(Column { kind, index })
}

fn tag(what: &'static str, value: u8) -> DecodeError {
    DecodeError::Tag {
        what,
        value: value.into(),
    }
}
