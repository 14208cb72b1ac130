//! What is odd and accepted is named, and what is ordinary is not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_ir::{
    Circuit, ColumnKind, Constraint, Copy, Expression, Gate, Limits, Lint, PublicInput, SelectorRow,
};
use common::{circuit, column, element, query};

fn lints(change: impl FnOnce(&mut Circuit)) -> Vec<Lint> {
    let mut circuit = circuit();
    change(&mut circuit);
    circuit.check(&Limits::default()).unwrap().lints()
}

/// The items that a change brings under a code.
fn found(code: &str, change: impl FnOnce(&mut Circuit)) -> Vec<String> {
    let lints = lints(change).into_iter();
    lints
        .filter(|lint| lint.code == code)
        .map(|lint| lint.item)
        .collect()
}

/// Adds a gate of the newest node.
fn constrain(circuit: &mut Circuit) {
    let cs = &mut circuit.constraint_system;
    let expression = u32::try_from(cs.expressions.len()).unwrap() - 1;
    cs.gates.push(Gate {
        name: "added".into(),
        constraints: vec![Constraint {
            name: String::new(),
            expression,
        }],
    });
}

#[test]
fn an_ordinary_circuit_has_no_lints() {
    // Both public inputs are computed: one by the lookup's table, one by the gate.
    assert_eq!(lints(|_| {}), []);
}

#[test]
fn a_gate_that_is_zero_whatever_the_columns_hold_is_named() {
    let zero = |circuit: &mut Circuit| {
        let cs = &mut circuit.constraint_system;
        let last = u32::try_from(cs.expressions.len()).unwrap();
        cs.expressions.extend([
            Expression::Constant(element(0)),
            Expression::Product(1, last),
            Expression::Scaled(1, element(0)),
            Expression::Sum(last + 1, last + 2),
            Expression::Negated(last + 3),
        ]);
        constrain(circuit);
    };
    assert_eq!(found("lint.gate_always_zero", zero), ["gate 1 `added`"]);
}

#[test]
fn a_gate_whose_selector_is_off_in_every_row_is_named() {
    let off = |circuit: &mut Circuit| circuit.layout.selector_rows.retain(|it| it.selector != 0);
    assert_eq!(found("lint.gate_never_on", off), ["gate 0 `multiply`"]);
}

#[test]
fn a_gate_times_a_fixed_column_of_zeros_is_named_and_one_times_one_minus_it_is_not() {
    let times_zero = |circuit: &mut Circuit| {
        circuit.layout.fixed_cells.retain(|it| it.column != 0);
        let cs = &mut circuit.constraint_system;
        let last = u32::try_from(cs.expressions.len()).unwrap();
        cs.expressions
            .extend([Expression::Fixed(0), Expression::Product(last, 1)]);
        constrain(circuit);
        let cs = &mut circuit.constraint_system;
        cs.expressions.extend([
            Expression::Negated(last),
            Expression::Sum(10, last + 2),
            Expression::Product(last + 3, 1),
        ]);
        constrain(circuit);
    };
    assert_eq!(found("lint.gate_never_on", times_zero), ["gate 1 `added`"]);
}

#[test]
fn a_circuit_without_gates_is_named() {
    let none = |circuit: &mut Circuit| circuit.constraint_system.gates.clear();
    assert_eq!(found("lint.no_gates", none), ["the circuit"]);
}

#[test]
fn a_column_that_no_gate_lookup_or_copy_reads_is_named() {
    let one_more = |circuit: &mut Circuit| circuit.constraint_system.advice_columns += 1;
    assert_eq!(
        found("lint.column_unconstrained", one_more),
        ["advice column 2"]
    );
    let copied = |circuit: &mut Circuit| {
        circuit.constraint_system.advice_columns += 1;
        let permutation = &mut circuit.constraint_system.permutation;
        permutation.push(column(ColumnKind::Advice, 2));
        // As `enable_equality` does.
        circuit.constraint_system.advice_queries.push(query(2, 0));
        circuit.layout.copies.push(Copy {
            left_column: 3,
            left_row: 0,
            right_column: 0,
            right_row: 0,
        });
    };
    assert!(found("lint.column_unconstrained", copied).is_empty());
}

#[test]
fn a_public_input_that_nothing_reads_is_named() {
    let added = |circuit: &mut Circuit| {
        circuit
            .public_inputs
            .push(PublicInput::new("forgotten", 0, 1));
    };
    assert_eq!(
        found("lint.public_input_unbound", added),
        ["public input `forgotten`"]
    );
}

#[test]
fn a_private_value_made_public_is_named_and_a_computed_one_is_not() {
    // Row 11 of the column is on no gate's way: nobody computes what stands there.
    let made_public = |circuit: &mut Circuit| {
        circuit.public_inputs.push(PublicInput::new("secret", 0, 1));
        circuit.constraint_system.lookups[0].inputs.truncate(1);
        circuit.constraint_system.lookups[0].table.truncate(1);
        circuit.layout.copies.push(Copy {
            left_column: 0,
            left_row: 12,
            right_column: 1,
            right_row: 2,
        });
    };
    let free = found("lint.public_input_free", made_public);
    assert!(
        free.contains(&"public input `secret`".to_owned()),
        "{free:?}"
    );
    // The gate of row 11 computes what stands in row 12.
    let computed = |circuit: &mut Circuit| {
        made_public(circuit);
        let rows = &mut circuit.layout.selector_rows;
        rows.push(SelectorRow {
            selector: 0,
            row: 11,
        });
        rows.sort_unstable();
    };
    let free = found("lint.public_input_free", computed);
    assert!(
        !free.contains(&"public input `secret`".to_owned()),
        "{free:?}"
    );
}

#[test]
fn no_more_lints_are_given_than_a_screen_holds() {
    let many = |circuit: &mut Circuit| circuit.constraint_system.advice_columns += 100;
    assert_eq!(lints(many).len(), 32);
}
