//! What the recorder makes of circuits, and what it says when it cannot.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_sdk::ff::PrimeField;
use aureole_sdk::halo2_proofs::circuit::floor_planner::V1;
use aureole_sdk::halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use aureole_sdk::halo2_proofs::dev::MockProver;
use aureole_sdk::halo2_proofs::plonk::{self, Circuit, ConstraintSystem, FloorPlanner};
use aureole_sdk::ir::{
    self, Column, ColumnKind, Expression, FieldElement, Limits, Query, Selector, SelectorRow,
};
use aureole_sdk::record::{self, RecordError};
use aureole_sdk::{Fp, K, PublicInput};
use common::{AWKWARD, Careless, CopiesOnly, Empty, Everything, FixedFromWitness};

fn public_inputs() -> Vec<PublicInput> {
    vec![
        PublicInput::new("seven", 1, 1),
        PublicInput::new("product", 0, 1),
    ]
}

fn everything<P: FloorPlanner>() -> ir::Circuit {
    record::circuit(&Everything::<P>::unknown(), K::Auto, public_inputs()).unwrap()
}

fn element(value: u64) -> FieldElement {
    FieldElement(Fp::from(value).to_repr())
}

fn query(column: u32, rotation: i32) -> Query {
    Query { column, rotation }
}

fn one_input() -> Vec<PublicInput> {
    vec![PublicInput::new("value", 0, 1)]
}

#[test]
fn names_come_through_whatever_characters_they_hold() {
    let circuit = everything::<SimpleFloorPlanner>();
    let gates = &circuit.constraint_system.gates;
    // What could steer a terminal comes as its escape; all else as it is.
    let shown = AWKWARD
        .replace('\u{202e}', "\\u{202e}")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\0', "\\u{0}");
    assert_eq!(gates[0].name, shown);
    assert_eq!(gates[0].constraints[0].name, "x * y = next a");
    assert_eq!((gates[1].name.as_str(), gates.len()), ("divide", 2));
    assert_eq!(gates[1].constraints[0].name, "");
}

#[test]
fn columns_selectors_and_queries_come_in_halo2s_order() {
    let cs = everything::<SimpleFloorPlanner>().constraint_system;
    assert_eq!(
        (cs.advice_columns, cs.fixed_columns, cs.instance_columns),
        (2, 3, 2)
    );
    use Selector::{Complex, Simple};
    // The second is queried by no gate, and then its kind leaves no trace.
    assert_eq!(cs.selectors, [Simple, Complex, Simple, Complex]);
    let expected = [
        query(0, 0),
        query(0, 1),
        query(1, 0),
        query(0, -2),
        query(1, -2),
    ];
    assert_eq!(cs.advice_queries, expected);
    assert_eq!(cs.instance_queries, [query(1, 0), query(0, 0)]);
    assert_eq!(cs.fixed_queries, [query(0, 0), query(1, 0), query(2, 0)]);
    let permutation = [
        (ColumnKind::Instance, 1),
        (ColumnKind::Fixed, 0),
        (ColumnKind::Advice, 0),
        (ColumnKind::Instance, 0),
    ]
    .map(|(kind, index)| Column { kind, index });
    assert_eq!(cs.permutation, permutation);
    assert_eq!((cs.constants, cs.minimum_degree), (vec![0], Some(6)));
    assert_eq!(cs.lookups[0].table, [2]);
}

#[test]
fn expressions_are_flat_with_equal_nodes_shared() {
    let cs = everything::<SimpleFloorPlanner>().constraint_system;
    let nodes = &cs.expressions;
    let root = cs.gates[0].constraints[0].expression;
    let Expression::Product(selector, difference) = nodes[root as usize] else {
        panic!("a selector times a polynomial");
    };
    assert_eq!(nodes[selector as usize], Expression::Selector(0));
    let Expression::Sum(_, negated) = nodes[difference as usize] else {
        panic!("a difference is the sum of a negation");
    };
    assert!(matches!(nodes[negated as usize], Expression::Negated(_)));
    assert!(
        nodes
            .iter()
            .any(|node| matches!(node, Expression::Scaled(_, by) if *by == element(2)))
    );
    let mut sorted: Vec<_> = nodes.iter().map(|node| format!("{node:?}")).collect();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), nodes.len());
}

#[test]
fn the_layout_is_what_keygen_would_see() {
    let circuit = everything::<SimpleFloorPlanner>();
    let layout = &circuit.layout;
    let fill = ir::Fill {
        column: 2,
        from_row: 8,
        value: element(0),
    };
    assert_eq!(layout.fixed_fills, [fill]);
    let cells: Vec<_> = layout
        .fixed_cells
        .iter()
        .map(|cell| (cell.column, cell.row, cell.value))
        .collect();
    let mut expected = vec![(0, 0, element(7)), (1, 2, element(2))];
    expected.extend((0..8).map(|row| (2, row, element(row.into()))));
    assert_eq!(cells, expected);
    let row = |selector, row| SelectorRow { selector, row };
    assert_eq!(layout.selector_rows, [row(0, 0), row(2, 2), row(3, 0)]);
    // The constant to its cell, then the two public inputs; positions in the permutation.
    let copies: Vec<_> = layout
        .copies
        .iter()
        .map(|c| (c.left_column, c.left_row, c.right_column, c.right_row))
        .collect();
    assert_eq!(copies, [(1, 0, 2, 3), (2, 1, 3, 0), (2, 3, 0, 0)]);
}

#[test]
fn recorded_circuits_keep_the_platforms_rules_whatever_their_names() {
    everything::<V1>().check(&Limits::default()).unwrap();
}

#[test]
fn degree_and_blinding_rows_are_those_that_halo2_computes() {
    fn agree<C: Circuit<Fp>>(circuit: &C, public_inputs: Vec<PublicInput>) {
        let mut cs = ConstraintSystem::default();
        C::configure(&mut cs);
        let mut recorded = record::circuit(circuit, K::Auto, public_inputs).unwrap();
        for gate in &mut recorded.constraint_system.gates {
            gate.name.clear();
        }
        let checked = recorded.check(&Limits::default()).unwrap();
        assert_eq!(checked.shape().degree as usize, cs.degree());
        assert_eq!(
            checked.shape().blinding_factors as usize,
            cs.blinding_factors()
        );
        assert!(checked.shape().rows as usize >= cs.minimum_rows());
    }
    agree(&Everything::<V1>::unknown(), public_inputs());
    agree(&CopiesOnly { rows: 3 }, one_input());
    agree(&Empty, vec![]);
}

#[test]
fn the_same_circuit_recorded_twice_has_the_same_digest() {
    for _ in 0..8 {
        let again = everything::<SimpleFloorPlanner>().digest();
        assert_eq!(again, everything::<SimpleFloorPlanner>().digest());
        assert_eq!(everything::<V1>().digest(), everything::<V1>().digest());
    }
}

#[test]
fn a_circuit_with_a_witness_records_like_one_without() {
    let with = record::circuit(&Everything::<V1>::new(3, 5), K::Auto, public_inputs()).unwrap();
    assert_eq!(with.digest(), everything::<V1>().digest());
}

#[test]
fn automatic_k_is_the_smallest_that_holds_rows_and_blinding() {
    // Five blinding factors and one row more: 2^k - 6 rows are usable.
    for (rows, k) in [(1, 3), (2, 3), (3, 4), (10, 4), (11, 5), (26, 5), (27, 6)] {
        let circuit = record::circuit(&CopiesOnly { rows }, K::Auto, one_input()).unwrap();
        assert_eq!(circuit.k, k, "{rows} rows");
        assert!(MockProver::run(k, &CopiesOnly { rows }, vec![vec![Fp::one()]]).is_ok());
        let smaller = MockProver::run(k - 1, &CopiesOnly { rows }, vec![vec![Fp::one()]]);
        let rows_smaller = (1_usize << (k - 1)).saturating_sub(6);
        assert!(smaller.is_err() || rows <= rows_smaller);
        circuit.check(&Limits::default()).unwrap();
    }
    assert_eq!(record::circuit(&Empty, K::Auto, vec![]).unwrap().k, 3);
}

#[test]
fn automatic_k_counts_public_inputs_too() {
    let inputs = vec![PublicInput::new("many", 0, 11)];
    let circuit = record::circuit(&CopiesOnly { rows: 1 }, K::Auto, inputs).unwrap();
    assert_eq!(circuit.k, 5);
}

#[test]
fn a_fixed_k_is_taken_or_refused_with_the_one_that_would_do() {
    let circuit = CopiesOnly { rows: 11 };
    let with = |k| record::circuit(&circuit, K::Fixed(k), one_input());
    assert_eq!(with(7).unwrap().k, 7);
    for k in [0, 2, 4] {
        let error = with(k).unwrap_err();
        assert!(
            matches!(
                error,
                RecordError::NotEnoughRows {
                    rows_used: 11,
                    k_needed: 5,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(with(4).unwrap_err().to_string().contains("10 usable rows"));
}

#[test]
fn a_witness_has_numerators_denominators_and_public_inputs_in_order() {
    let circuit = everything::<SimpleFloorPlanner>();
    let instance = [vec![Fp::from(15)], vec![Fp::from(7)]];
    let witness = record::witness(
        &Everything::<SimpleFloorPlanner>::new(3, 5),
        &circuit,
        &instance,
    )
    .unwrap();
    assert_eq!(witness.advice_rows, [4, 3]);
    let values: Vec<_> = witness
        .advice_values
        .as_chunks::<32>()
        .0
        .iter()
        .map(|value| FieldElement(*value))
        .collect();
    // Row 2 of the first column and row 1 of the second were never assigned.
    assert_eq!(values, [3, 15, 0, 7, 5, 0, 3].map(element));
    assert_eq!(witness.denominators.len(), 1);
    let denominator = witness.denominators[0];
    assert_eq!((denominator.column, denominator.row), (1, 2));
    assert_eq!(denominator.value, element(5));
    assert_eq!(
        witness.public_inputs,
        [element(7).0, element(15).0].concat()
    );

    let mut circuit = circuit;
    circuit.constraint_system.gates[0].name.clear();
    let checked = circuit.check(&Limits::default()).unwrap();
    assert_eq!(checked.check_witness(&witness), Ok(()));
}

#[test]
fn a_witness_reads_its_public_inputs_as_under_create_proof() {
    let circuit = CopiesOnly { rows: 2 };
    let recorded = record::circuit(&circuit, K::Auto, one_input()).unwrap();
    let witness = record::witness(&circuit, &recorded, &[vec![Fp::from(9)]]).unwrap();
    assert_eq!(witness.advice_values, [element(9).0, element(9).0].concat());
}

#[test]
fn a_cell_assigned_twice_keeps_its_last_value() {
    struct Twice;
    impl Circuit<Fp> for Twice {
        type Config = (plonk::Column<plonk::Advice>, plonk::Column<plonk::Fixed>);
        type FloorPlanner = SimpleFloorPlanner;
        fn without_witnesses(&self) -> Self {
            Self
        }
        fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
            (meta.advice_column(), meta.fixed_column())
        }
        fn synthesize(
            &self,
            (advice, fixed): Self::Config,
            mut layouter: impl Layouter<Fp>,
        ) -> Result<(), plonk::Error> {
            layouter.assign_region(
                || "",
                |mut region| {
                    for value in [1, 2] {
                        let value = Value::known(Fp::from(value));
                        region.assign_advice(|| "", advice, 1, || value)?;
                        region.assign_fixed(|| "", fixed, 1, || value)?;
                    }
                    Ok(())
                },
            )
        }
    }
    let recorded = record::circuit(&Twice, K::Auto, vec![]).unwrap();
    assert_eq!(recorded.layout.fixed_cells.len(), 1);
    assert_eq!(recorded.layout.fixed_cells[0].value, element(2));
    let witness = record::witness(&Twice, &recorded, &[]).unwrap();
    assert_eq!(witness.advice_values, [[0; 32], element(2).0].concat());
}

#[test]
fn regions_are_named_with_their_namespaces_columns_and_rows() {
    let regions = record::annotations(&Everything::<SimpleFloorPlanner>::unknown())
        .unwrap()
        .regions;
    let names: Vec<_> = regions.iter().map(|region| region.name.as_str()).collect();
    assert_eq!(
        names,
        ["small numbers", "inner/multiply and divide", "seven"]
    );
    assert_eq!((regions[0].first_row, regions[0].rows), (0, 8));
    assert_eq!((regions[1].first_row, regions[1].rows), (0, 3));
    let columns: Vec<_> = regions[1]
        .columns
        .iter()
        .map(|column| (column.kind, column.index))
        .collect();
    assert_eq!(
        columns,
        [
            (ColumnKind::Advice, 0),
            (ColumnKind::Advice, 1),
            (ColumnKind::Fixed, 1)
        ]
    );
    assert_eq!((regions[2].first_row, regions[2].rows), (3, 1));
}

#[test]
fn an_unknown_advice_value_is_named_by_its_place() {
    let circuit = everything::<SimpleFloorPlanner>();
    let instance = [vec![Fp::from(15)], vec![Fp::from(7)]];
    let error = record::witness(
        &Everything::<SimpleFloorPlanner>::unknown(),
        &circuit,
        &instance,
    )
    .unwrap_err();
    assert!(
        matches!(error, RecordError::UnknownAdvice { column: 0, row: 0 }),
        "{error}"
    );
}

#[test]
fn an_unknown_fixed_value_is_named_by_its_place() {
    let error = record::circuit(&FixedFromWitness(Value::unknown()), K::Auto, vec![]).unwrap_err();
    assert!(
        matches!(error, RecordError::UnknownFixed { column: 0, row: 3 }),
        "{error}"
    );
}

#[test]
fn a_copy_without_equality_is_halo2s_own_error() {
    let circuit = Careless { copy: true, row: 0 };
    let error = record::circuit(&circuit, K::Auto, vec![]).unwrap_err();
    assert!(
        matches!(
            error,
            RecordError::Synthesis(plonk::Error::ColumnNotInPermutation(_))
        ),
        "{error}"
    );
}

#[test]
fn a_row_that_no_k_reaches_is_refused() {
    for row in [1 << 25, usize::MAX - 1] {
        let circuit = Careless { copy: false, row };
        let error = record::circuit(&circuit, K::Auto, vec![]).unwrap_err();
        assert!(
            matches!(error, RecordError::TooManyRows { k_max: 25, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_witness_of_another_circuit_or_instance_is_refused() {
    let circuit = everything::<SimpleFloorPlanner>();
    let other = record::witness(&CopiesOnly { rows: 1 }, &circuit, &[vec![Fp::one()]]).unwrap_err();
    assert!(
        matches!(
            other,
            RecordError::OtherCircuit {
                what: "advice columns",
                found: 1,
                expected: 2
            }
        ),
        "{other}"
    );
    for (lengths, column) in [([2, 1], 0), ([1, 0], 1)] {
        let instance = lengths.map(|rows| vec![Fp::one(); rows]);
        let error = record::witness(
            &Everything::<SimpleFloorPlanner>::new(3, 5),
            &circuit,
            &instance,
        )
        .unwrap_err();
        assert!(
            matches!(error, RecordError::PublicInputs { column: at, expected: 1, .. } if at == column),
            "{error}"
        );
    }
}
