//! Our types as the contract's: records where it is small, flat bytes where it is large.

use super::{Problem, ir, types};
use crate::Description;

pub(super) fn description(description: Description) -> types::Description {
    types::Description {
        name: description.name,
        version: description.version,
        summary: description.summary,
        backend: types::Backend::Halo2Ipa,
        field: types::Field::PallasBase,
        params_schema: description.params_schema,
        input_schema: description.input_schema,
        default_params: description.default_params,
        public_inputs: description
            .public_inputs
            .into_iter()
            .map(|(name, summary)| types::PublicInputDescription { name, summary })
            .collect(),
    }
}

pub(super) fn problem(problem: Problem) -> types::Problem {
    types::Problem {
        path: problem.path,
        message: problem.message,
    }
}

pub(super) fn circuit(circuit: ir::Circuit) -> types::Circuit {
    types::Circuit {
        k: circuit.k,
        constraint_system: constraint_system(circuit.constraint_system),
        layout: layout(&circuit.layout),
        public_inputs: circuit
            .public_inputs
            .into_iter()
            .map(|input| types::PublicInput {
                name: input.name,
                column: input.column,
                rows: input.rows,
            })
            .collect(),
    }
}

pub(super) fn annotations(annotations: ir::Annotations) -> types::Annotations {
    types::Annotations {
        regions: annotations
            .regions
            .into_iter()
            .map(|region| types::Region {
                name: region.name,
                columns: region.columns.into_iter().map(column).collect(),
                first_row: region.first_row,
                rows: region.rows,
            })
            .collect(),
    }
}

pub(super) fn witness(witness: ir::Witness) -> types::Witness {
    types::Witness {
        denominators: ir::flat::denominators_bytes(&witness.denominators),
        advice_rows: witness.advice_rows,
        advice_values: witness.advice_values,
        public_inputs: witness.public_inputs,
    }
}

fn constraint_system(cs: ir::ConstraintSystem) -> types::ConstraintSystem {
    types::ConstraintSystem {
        fixed_columns: cs.fixed_columns,
        advice_columns: cs.advice_columns,
        instance_columns: cs.instance_columns,
        simple_selectors: cs
            .selectors
            .into_iter()
            .map(|selector| selector == ir::Selector::Simple)
            .collect(),
        advice_queries: queries(cs.advice_queries),
        instance_queries: queries(cs.instance_queries),
        fixed_queries: queries(cs.fixed_queries),
        expressions: cs.expressions.into_iter().map(expression).collect(),
        gates: cs
            .gates
            .into_iter()
            .map(|gate| types::Gate {
                name: gate.name,
                constraints: gate
                    .constraints
                    .into_iter()
                    .map(|constraint| types::Constraint {
                        name: constraint.name,
                        expression: constraint.expression,
                    })
                    .collect(),
            })
            .collect(),
        lookups: cs
            .lookups
            .into_iter()
            .map(|lookup| types::Lookup {
                inputs: lookup.inputs,
                table: lookup.table,
            })
            .collect(),
        permutation: cs.permutation.into_iter().map(column).collect(),
        constants: cs.constants,
        minimum_degree: cs.minimum_degree,
    }
}

fn layout(layout: &ir::Layout) -> types::Layout {
    types::Layout {
        fixed_fills: layout
            .fixed_fills
            .iter()
            .map(|fill| types::Fill {
                column: fill.column,
                from_row: fill.from_row,
                value: element(fill.value),
            })
            .collect(),
        fixed_cells: ir::flat::fixed_cells_bytes(&layout.fixed_cells),
        selector_rows: ir::flat::selector_rows_bytes(&layout.selector_rows),
        copies: ir::flat::copies_bytes(&layout.copies),
    }
}

fn queries(queries: Vec<ir::Query>) -> Vec<types::Query> {
    queries
        .into_iter()
        .map(|query| types::Query {
            column: query.column,
            rotation: query.rotation,
        })
        .collect()
}

fn expression(expression: ir::Expression) -> types::Expression {
    match expression {
        ir::Expression::Constant(value) => types::Expression::Constant(element(value)),
        ir::Expression::Selector(index) => types::Expression::Selector(index),
        ir::Expression::Fixed(index) => types::Expression::Fixed(index),
        ir::Expression::Advice(index) => types::Expression::Advice(index),
        ir::Expression::Instance(index) => types::Expression::Instance(index),
        ir::Expression::Negated(of) => types::Expression::Negated(of),
        ir::Expression::Sum(left, right) => types::Expression::Sum((left, right)),
        ir::Expression::Product(left, right) => types::Expression::Product((left, right)),
        ir::Expression::Scaled(of, by) => types::Expression::Scaled((of, element(by))),
    }
}

fn column(column: ir::Column) -> types::Column {
    types::Column {
        kind: match column.kind {
            ir::ColumnKind::Advice => types::ColumnKind::Advice,
            ir::ColumnKind::Fixed => types::ColumnKind::Fixed,
            ir::ColumnKind::Instance => types::ColumnKind::Instance,
        },
        index: column.index,
    }
}

fn element(value: ir::FieldElement) -> types::FieldElement {
    value.to_limbs().into()
}
