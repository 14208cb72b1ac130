//! A small circuit that keeps every rule, with a gate, a lookup, constants and copies.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use aureole_ir::{
    Backend, Circuit, Column, ColumnKind, Constraint, ConstraintSystem, Copy, Expression, Field,
    FieldElement, Fill, FixedCell, Gate, Layout, Limits, Lookup, PublicInput, Query, Refusal,
    Selector, SelectorRow, Witness,
};

/// An element from a small number.
pub(crate) fn element(value: u64) -> FieldElement {
    FieldElement::from_limbs([value, 0, 0, 0])
}

/// The modulus itself: the smallest integer that is no canonical element.
pub(crate) fn modulus() -> FieldElement {
    FieldElement(Field::PallasBase.modulus())
}

pub(crate) fn query(column: u32, rotation: i32) -> Query {
    Query { column, rotation }
}

pub(crate) fn column(kind: ColumnKind, index: u32) -> Column {
    Column { kind, index }
}

pub(crate) fn constraint_system() -> ConstraintSystem {
    use Expression::{Advice, Constant, Negated, Product, Scaled, Sum};
    ConstraintSystem {
        fixed_columns: 3,
        advice_columns: 2,
        instance_columns: 1,
        selectors: vec![Selector::Simple, Selector::Complex],
        advice_queries: vec![query(0, 0), query(1, 0), query(0, 1), query(0, -1)],
        instance_queries: vec![query(0, 0)],
        fixed_queries: vec![query(0, 0), query(1, 0), query(2, 0)],
        expressions: vec![
            Expression::Selector(0),
            Advice(0),
            Advice(1),
            Product(1, 2),
            Advice(2),
            Negated(4),
            Sum(3, 5),
            Product(0, 6),
            Expression::Selector(1),
            Product(8, 1),
            Constant(element(1)),
            Scaled(2, element(2)),
            Sum(11, 10),
        ],
        gates: vec![Gate {
            name: "multiply".into(),
            constraints: vec![Constraint {
                name: "a * b = next a".into(),
                expression: 7,
            }],
        }],
        lookups: vec![Lookup {
            inputs: vec![9, 12],
            table: vec![1, 2],
        }],
        permutation: vec![
            column(ColumnKind::Advice, 0),
            column(ColumnKind::Instance, 0),
            column(ColumnKind::Fixed, 0),
        ],
        constants: vec![0],
        minimum_degree: None,
    }
}

/// k = 5: 32 rows, of which 26 are usable.
pub(crate) fn circuit() -> Circuit {
    let cell = |column, row| FixedCell {
        column,
        row,
        value: element(u64::from(column * 100 + row)),
    };
    let mut fixed_cells = vec![cell(0, 0)];
    for column in [1, 2] {
        fixed_cells.extend((0..4).map(|row| cell(column, row)));
    }
    let fill = |column| Fill {
        column,
        from_row: 4,
        value: element(u64::from(column * 100)),
    };
    let copy = |left_column, left_row, right_column, right_row| Copy {
        left_column,
        left_row,
        right_column,
        right_row,
    };
    Circuit {
        backend: Backend::Halo2Ipa,
        field: Field::PallasBase,
        k: 5,
        constraint_system: constraint_system(),
        layout: Layout {
            fixed_fills: vec![fill(1), fill(2)],
            fixed_cells,
            selector_rows: vec![
                SelectorRow {
                    selector: 0,
                    row: 1,
                },
                SelectorRow {
                    selector: 0,
                    row: 9,
                },
                SelectorRow {
                    selector: 1,
                    row: 0,
                },
            ],
            copies: vec![copy(0, 0, 1, 0), copy(2, 0, 0, 1), copy(1, 1, 0, 10)],
        },
        public_inputs: vec![
            PublicInput::new("root", 0, 1),
            PublicInput::new("index", 0, 1),
        ],
    }
}

pub(crate) fn witness() -> Witness {
    Witness {
        advice_rows: vec![11, 3],
        advice_values: (0..14).flat_map(|value: u64| element(value).0).collect(),
        denominators: vec![aureole_ir::Denominator {
            column: 0,
            row: 2,
            value: element(3),
        }],
        public_inputs: (0..2).flat_map(|value: u64| element(value).0).collect(),
    }
}

/// The refusal of the sample circuit after a change.
pub(crate) fn refusal(change: impl FnOnce(&mut Circuit)) -> Refusal {
    refusal_within(&Limits::default(), change)
}

/// The refusal of the sample circuit after a change, under given limits.
pub(crate) fn refusal_within(limits: &Limits, change: impl FnOnce(&mut Circuit)) -> Refusal {
    let mut changed = circuit();
    change(&mut changed);
    match changed.check(limits) {
        Ok(_) => panic!("the circuit was not refused"),
        Err(refusal) => {
            assert!(
                Refusal::CODES.contains(&refusal.code),
                "{} is not listed",
                refusal.code
            );
            refusal
        }
    }
}

/// Asserts the code and what the message names.
#[track_caller]
pub(crate) fn assert_refused(refusal: &Refusal, code: &str, names: &[&str]) {
    assert_eq!(refusal.code, code, "{refusal}");
    let text = refusal.to_string();
    for name in names {
        assert!(text.contains(name), "`{text}` does not name `{name}`");
    }
}
