//! Formulas read as an author would write them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first broken fact"
)]

use aureole_draw::{Formulas, regions};
use aureole_ir::{
    Annotations, ConstraintSystem, Expression, Field, FieldElement, Query, Region, Selector,
};
use aureole_sdk::{Plugin, native};

fn system(expressions: Vec<Expression>) -> ConstraintSystem {
    let query = |column, rotation| Query { column, rotation };
    ConstraintSystem {
        advice_columns: 2,
        fixed_columns: 1,
        instance_columns: 1,
        selectors: vec![Selector::Simple],
        advice_queries: vec![query(0, 0), query(1, -1)],
        fixed_queries: vec![query(0, 0)],
        instance_queries: vec![query(0, 2)],
        expressions,
        ..ConstraintSystem::default()
    }
}

/// The formula of the last node.
fn formula(expressions: Vec<Expression>) -> String {
    let root = u32::try_from(expressions.len() - 1).unwrap();
    Formulas::new(&system(expressions), Field::PallasBase)
        .polynomial(root)
        .to_string()
}

fn number(low: u64) -> FieldElement {
    FieldElement::from_limbs([low, 0, 0, 0])
}

/// The modulus minus `low`.
fn minus(low: u64) -> FieldElement {
    let mut limbs = FieldElement(Field::PallasBase.modulus()).to_limbs();
    limbs[0] -= low;
    FieldElement::from_limbs(limbs)
}

#[test]
fn selectors_stand_in_front_and_rotations_in_brackets() {
    use Expression::{Advice, Product, Selector, Sum};
    let nodes = vec![Selector(0), Advice(0), Advice(1), Sum(1, 2), Product(0, 3)];
    assert_eq!(formula(nodes), "s0: a0 + a1[-1] = 0");
    let nodes = vec![Expression::Instance(0), Expression::Fixed(0), Product(0, 1)];
    assert_eq!(formula(nodes), "i0[+2] * f0 = 0");
}

#[test]
fn a_product_of_equal_factors_is_a_power_and_differences_have_a_minus() {
    use Expression::{Advice, Constant, Negated, Product, Sum};
    let nodes = vec![Advice(0), Product(0, 0), Product(1, 1), Product(2, 0)];
    assert_eq!(formula(nodes), "a0^5 = 0");
    let nodes = vec![
        Advice(0),
        Negated(0),
        Constant(number(1)),
        Sum(1, 2),
        Product(3, 0),
    ];
    assert_eq!(formula(nodes), "(1 - a0) * a0 = 0");
}

#[test]
fn constants_are_short_when_they_or_their_negation_are_small() {
    use Expression::{Advice, Constant, Scaled, Sum};
    assert_eq!(formula(vec![Constant(minus(3))]), "-3 = 0");
    assert_eq!(
        formula(vec![Constant(FieldElement::from_limbs([0, 1, 0, 0]))]),
        "2^64 = 0"
    );
    let nodes = vec![Advice(0), Scaled(0, minus(1)), Advice(1), Sum(2, 1)];
    assert_eq!(formula(nodes), "a1[-1] - a0 = 0");
    let long = FieldElement::from_limbs([0x1234_5678, 9, 9, 0x0fed_cba9_8765_4321]);
    assert_eq!(formula(vec![Constant(long)]), "0x0fedcb..345678 = 0");
}

#[test]
fn what_is_too_long_or_too_deep_is_cut_and_never_recurses() {
    use Expression::{Advice, Sum};
    let mut nodes = vec![Advice(0)];
    nodes.extend((0..2000).map(|node| Sum(node, node)));
    assert!(formula(nodes).contains("(...)"));
    let mut nodes = vec![Advice(0)];
    nodes.extend((0..30_000).map(|node| Sum(node, 0)));
    assert_eq!(formula(nodes), "an expression of 30001 nodes = 0");
}

#[test]
fn a_first_party_gate_reads_as_in_its_source() {
    let circuit = native::circuit::<aureole_range::Range>("{}").unwrap();
    let formulas = Formulas::new(&circuit.constraint_system, circuit.field);
    let all = circuit
        .constraint_system
        .gates
        .iter()
        .flat_map(|gate| &gate.constraints);
    let all: Vec<String> = all
        .map(|c| formulas.polynomial(c.expression).to_string())
        .collect();
    assert!(
        all.contains(&"s4: a0 * (1 - a0) = 0".to_owned()),
        "{all:#?}"
    );
    assert_eq!(aureole_range::Range::NAME, "range");
}

#[test]
fn rows_are_summed_by_the_names_of_regions() {
    let region = |name: &str, first_row, rows| Region {
        name: name.to_owned(),
        columns: Vec::new(),
        first_row,
        rows,
    };
    let annotations = Annotations {
        regions: vec![
            region("round 1", 0, 3),
            region("round 12", 3, 4),
            region("end", 7, 1),
        ],
    };
    let uses = regions(&annotations);
    assert_eq!(
        (uses[0].name.as_str(), uses[0].regions, uses[0].rows),
        ("round #", 2, 7)
    );
    assert_eq!(
        (uses[0].first_row, uses[0].end_row, uses[1].rows),
        (0, 7, 1)
    );
}
