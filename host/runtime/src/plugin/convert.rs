//! From the contract's types to the IR's, in bulk.
//!
//! Only shapes are checked here: a byte list must be a whole number of entries. What the numbers
//! mean is for `aureole_ir` to check.

use aureole_ir as ir;

use super::bindings as wit;
use crate::error::Error;

pub(super) fn circuit(circuit: wit::Circuit) -> Result<ir::Circuit, Error> {
    Ok(ir::Circuit {
        // The contract has no other yet, and a plugin is described before it is asked.
        backend: ir::Backend::Halo2Ipa,
        field: ir::Field::PallasBase,
        k: circuit.k,
        constraint_system: constraint_system(circuit.constraint_system),
        layout: layout(circuit.layout)?,
        public_inputs: circuit
            .public_inputs
            .into_iter()
            .map(|input| ir::PublicInput {
                name: input.name,
                column: input.column,
                rows: input.rows,
            })
            .collect(),
    })
}

pub(super) fn annotations(annotations: wit::Annotations) -> ir::Annotations {
    let region = |region: wit::Region| ir::Region {
        name: region.name,
        columns: region.columns.into_iter().map(column).collect(),
        first_row: region.first_row,
        rows: region.rows,
    };
    ir::Annotations {
        regions: annotations.regions.into_iter().map(region).collect(),
    }
}

pub(super) fn witness(witness: wit::Witness) -> Result<ir::Witness, Error> {
    whole::<32>("advice-values", &witness.advice_values)?;
    whole::<32>("public-inputs", &witness.public_inputs)?;
    let denominators = whole::<40>("denominators", &witness.denominators)?
        .iter()
        .map(|entry| {
            let (column, row, value) = cell(entry);
            ir::Denominator { column, row, value }
        })
        .collect();
    Ok(ir::Witness {
        advice_rows: witness.advice_rows,
        advice_values: witness.advice_values,
        denominators,
        public_inputs: witness.public_inputs,
    })
}

fn constraint_system(cs: wit::ConstraintSystem) -> ir::ConstraintSystem {
    let selector = |simple| {
        if simple {
            ir::Selector::Simple
        } else {
            ir::Selector::Complex
        }
    };
    let queries = |queries: Vec<wit::Query>| {
        let query = |query: wit::Query| ir::Query {
            column: query.column,
            rotation: query.rotation,
        };
        queries.into_iter().map(query).collect()
    };
    ir::ConstraintSystem {
        fixed_columns: cs.fixed_columns,
        advice_columns: cs.advice_columns,
        instance_columns: cs.instance_columns,
        selectors: cs.simple_selectors.into_iter().map(selector).collect(),
        advice_queries: queries(cs.advice_queries),
        instance_queries: queries(cs.instance_queries),
        fixed_queries: queries(cs.fixed_queries),
        expressions: cs.expressions.into_iter().map(expression).collect(),
        gates: cs
            .gates
            .into_iter()
            .map(|gate| ir::Gate {
                name: gate.name,
                constraints: gate
                    .constraints
                    .into_iter()
                    .map(|constraint| ir::Constraint {
                        name: constraint.name,
                        expression: constraint.expression,
                    })
                    .collect(),
            })
            .collect(),
        lookups: cs
            .lookups
            .into_iter()
            .map(|lookup| ir::Lookup {
                inputs: lookup.inputs,
                table: lookup.table,
            })
            .collect(),
        permutation: cs.permutation.into_iter().map(column).collect(),
        constants: cs.constants,
        minimum_degree: cs.minimum_degree,
    }
}

fn layout(layout: wit::Layout) -> Result<ir::Layout, Error> {
    let fill = |fill: wit::Fill| ir::Fill {
        column: fill.column,
        from_row: fill.from_row,
        value: element(fill.value),
    };
    let fixed_cell = |entry: &[u8; 40]| {
        let (column, row, value) = cell(entry);
        ir::FixedCell { column, row, value }
    };
    let selector_row = |entry: &[u8; 8]| {
        let [selector, row] = numbers(entry);
        ir::SelectorRow { selector, row }
    };
    let copy = |entry: &[u8; 16]| {
        let [left_column, left_row, right_column, right_row] = numbers(entry);
        ir::Copy {
            left_column,
            left_row,
            right_column,
            right_row,
        }
    };
    Ok(ir::Layout {
        fixed_fills: layout.fixed_fills.into_iter().map(fill).collect(),
        fixed_cells: whole("fixed-cells", &layout.fixed_cells)?
            .iter()
            .map(fixed_cell)
            .collect(),
        selector_rows: whole("selector-rows", &layout.selector_rows)?
            .iter()
            .map(selector_row)
            .collect(),
        copies: whole("copies", &layout.copies)?.iter().map(copy).collect(),
    })
}

fn expression(expression: wit::Expression) -> ir::Expression {
    match expression {
        wit::Expression::Constant(value) => ir::Expression::Constant(element(value)),
        wit::Expression::Selector(index) => ir::Expression::Selector(index),
        wit::Expression::Fixed(index) => ir::Expression::Fixed(index),
        wit::Expression::Advice(index) => ir::Expression::Advice(index),
        wit::Expression::Instance(index) => ir::Expression::Instance(index),
        wit::Expression::Negated(node) => ir::Expression::Negated(node),
        wit::Expression::Sum((left, right)) => ir::Expression::Sum(left, right),
        wit::Expression::Product((left, right)) => ir::Expression::Product(left, right),
        wit::Expression::Scaled((node, value)) => ir::Expression::Scaled(node, element(value)),
    }
}

fn column(column: wit::Column) -> ir::Column {
    let kind = match column.kind {
        wit::ColumnKind::Advice => ir::ColumnKind::Advice,
        wit::ColumnKind::Fixed => ir::ColumnKind::Fixed,
        wit::ColumnKind::Instance => ir::ColumnKind::Instance,
    };
    ir::Column {
        kind,
        index: column.index,
    }
}

fn element((first, second, third, fourth): (u64, u64, u64, u64)) -> ir::FieldElement {
    ir::FieldElement::from_limbs([first, second, third, fourth])
}

/// A list as whole entries, or what is wrong with its length.
fn whole<'a, const N: usize>(item: &'static str, bytes: &'a [u8]) -> Result<&'a [[u8; N]], Error> {
    let (entries, rest) = bytes.as_chunks::<N>();
    if rest.is_empty() {
        return Ok(entries);
    }
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    Err(Error::OutputMalformed {
        item,
        bytes: length(bytes.len()),
        unit: length(N),
    })
}

/// Column, row and value.
fn cell(entry: &[u8; 40]) -> (u32, u32, ir::FieldElement) {
    let mut value = [0; 32];
    let mut place = [0; 8];
    let (head, tail) = entry.split_at(8);
    place.copy_from_slice(head);
    value.copy_from_slice(tail);
    let [column, row] = numbers(&place);
    (column, row, ir::FieldElement(value))
}

/// Little-endian numbers of four bytes.
fn numbers<const BYTES: usize, const N: usize>(entry: &[u8; BYTES]) -> [u32; N] {
    const { assert!(BYTES == 4 * N, "an entry is a whole number of u32") }
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(entry.as_chunks::<4>().0) {
        *number = u32::from_le_bytes(*bytes);
    }
    numbers
}
