//! Canonical bytes: one encoding for one value, and nothing that a decoder cannot stand.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_ir::{
    Annotations, Backend, Circuit, Column, ColumnKind, Constraint, ConstraintSystem, Copy,
    DecodeError, Denominator, Expression, Field, FieldElement, Fill, FixedCell, Gate, Layout,
    Limits, Lookup, PublicInput, Query, Region, Selector, SelectorRow, Witness, flat,
};
use common::{circuit, element, witness};
use proptest::collection::vec;
use proptest::prelude::*;

fn annotations() -> Annotations {
    Annotations {
        regions: vec![Region {
            name: "hash/round \"1\"".into(),
            columns: vec![common::column(ColumnKind::Advice, 0)],
            first_row: 3,
            rows: 2,
        }],
    }
}

#[test]
fn a_circuit_a_witness_and_annotations_come_back_from_their_bytes() {
    assert_eq!(Circuit::decode(&circuit().encode()), Ok(circuit()));
    assert_eq!(Witness::decode(&witness().encode()), Ok(witness()));
    assert_eq!(
        Annotations::decode(&annotations().encode()),
        Ok(annotations())
    );
}

/// Changes only with the format; then the magic bytes must change too.
#[test]
fn the_digest_of_the_sample_circuit_is_what_it_always_was() {
    assert_eq!(
        circuit().digest().to_string(),
        "22c2690e5376e7bea36d4123778dc41785863115963a6de6c867247ae51314ac"
    );
}

#[test]
fn the_digest_tells_circuits_apart() {
    let mut other = circuit();
    other.layout.copies.swap(0, 1);
    assert_ne!(other.digest(), circuit().digest());
}

#[test]
fn bytes_of_another_kind_are_refused() {
    let expected = DecodeError::Magic {
        expected: "aureole circuit1",
    };
    assert_eq!(Circuit::decode(&witness().encode()), Err(expected.clone()));
    assert_eq!(Circuit::decode(b""), Err(expected));
    assert!(Witness::decode(&circuit().encode()).is_err());
    assert!(Annotations::decode(&circuit().encode()).is_err());
}

#[test]
fn every_prefix_of_an_encoding_is_refused() {
    let bytes = circuit().encode();
    for end in 0..bytes.len() {
        assert!(Circuit::decode(&bytes[..end]).is_err(), "{end}");
    }
    let bytes = witness().encode();
    for end in 0..bytes.len() {
        assert!(Witness::decode(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut bytes = circuit().encode();
    bytes.push(0);
    assert_eq!(
        Circuit::decode(&bytes),
        Err(DecodeError::Trailing { bytes: 1 })
    );
}

#[test]
fn a_number_that_stands_for_no_case_is_refused() {
    for (at, what) in [(16, "backend"), (17, "field")] {
        for value in [0, 2, 255] {
            let mut bytes = circuit().encode();
            bytes[at] = value;
            let expected = DecodeError::Tag {
                what,
                value: value.into(),
            };
            assert_eq!(Circuit::decode(&bytes), Err(expected));
        }
    }
}

#[test]
fn a_length_of_four_thousand_million_is_refused_before_it_is_allocated() {
    let mut bytes = b"aureole witness1".to_vec();
    bytes.extend(u32::MAX.to_le_bytes());
    bytes.extend([0; 64]);
    assert_eq!(
        Witness::decode(&bytes),
        Err(DecodeError::Truncated {
            what: "advice rows",
            needed: 4 * u64::from(u32::MAX),
            left: 64,
        })
    );
}

#[test]
fn a_text_that_is_not_utf8_is_refused() {
    let mut bytes = annotations().encode();
    let at = bytes
        .windows(4)
        .position(|window| window == b"hash")
        .unwrap();
    bytes[at] = 0xff;
    assert_eq!(
        Annotations::decode(&bytes),
        Err(DecodeError::Utf8 {
            what: "a region's name"
        })
    );
}

#[test]
fn flat_records_come_back_and_ragged_ones_are_refused() {
    let layout = circuit().layout;
    let cells = flat::fixed_cells_bytes(&layout.fixed_cells);
    assert_eq!(flat::fixed_cells(&cells), Ok(layout.fixed_cells));
    let rows = flat::selector_rows_bytes(&layout.selector_rows);
    assert_eq!(flat::selector_rows(&rows), Ok(layout.selector_rows));
    let copies = flat::copies_bytes(&layout.copies);
    assert_eq!(flat::copies(&copies), Ok(layout.copies));
    let denominators = flat::denominators_bytes(&witness().denominators);
    assert_eq!(
        flat::denominators(&denominators),
        Ok(witness().denominators)
    );

    let ragged = |what, bytes, record| DecodeError::Ragged {
        what,
        bytes,
        record,
    };
    assert_eq!(
        flat::fixed_cells(&[0; 41]),
        Err(ragged("fixed cells", 41, 40))
    );
    assert_eq!(
        flat::denominators(&[0; 39]),
        Err(ragged("denominators", 39, 40))
    );
    assert_eq!(
        flat::selector_rows(&[0; 7]),
        Err(ragged("selector rows", 7, 8))
    );
    assert_eq!(flat::copies(&[0; 31]), Err(ragged("copies", 31, 16)));
}

#[test]
fn flat_bytes_are_the_contracts_little_endian_records() {
    let cell = FixedCell {
        column: 1,
        row: 0x0203,
        value: element(4),
    };
    let mut expected = vec![1, 0, 0, 0, 3, 2, 0, 0, 4];
    expected.resize(40, 0);
    assert_eq!(flat::fixed_cells_bytes(&[cell]), expected);
}

fn a_field_element() -> impl Strategy<Value = FieldElement> {
    any::<[u8; 32]>().prop_map(FieldElement)
}

fn a_column() -> impl Strategy<Value = Column> {
    let kind = prop_oneof![
        Just(ColumnKind::Advice),
        Just(ColumnKind::Fixed),
        Just(ColumnKind::Instance)
    ];
    (kind, any::<u32>()).prop_map(|(kind, index)| Column { kind, index })
}

fn an_expression() -> impl Strategy<Value = Expression> {
    prop_oneof![
        a_field_element().prop_map(Expression::Constant),
        any::<u32>().prop_map(Expression::Selector),
        any::<u32>().prop_map(Expression::Fixed),
        any::<u32>().prop_map(Expression::Advice),
        any::<u32>().prop_map(Expression::Instance),
        any::<u32>().prop_map(Expression::Negated),
        any::<(u32, u32)>().prop_map(|(left, right)| Expression::Sum(left, right)),
        any::<(u32, u32)>().prop_map(|(left, right)| Expression::Product(left, right)),
        (any::<u32>(), a_field_element()).prop_map(|(of, by)| Expression::Scaled(of, by)),
    ]
}

fn a_constraint_system() -> impl Strategy<Value = ConstraintSystem> {
    let queries = || {
        let query = any::<(u32, i32)>().prop_map(|(column, rotation)| Query { column, rotation });
        vec(query, 0..4)
    };
    let selector = any::<bool>().prop_map(|simple| match simple {
        true => Selector::Simple,
        false => Selector::Complex,
    });
    let constraint =
        any::<(String, u32)>().prop_map(|(name, expression)| Constraint { name, expression });
    let gate = (any::<String>(), vec(constraint, 0..3))
        .prop_map(|(name, constraints)| Gate { name, constraints });
    let lookup = (vec(any::<u32>(), 0..3), vec(any::<u32>(), 0..3))
        .prop_map(|(inputs, table)| Lookup { inputs, table });
    (
        any::<[u32; 3]>(),
        (queries(), queries(), queries()),
        vec(selector, 0..4),
        vec(an_expression(), 0..6),
        vec(gate, 0..3),
        vec(lookup, 0..3),
        (vec(a_column(), 0..4), vec(any::<u32>(), 0..3)),
        any::<Option<u32>>(),
    )
        .prop_map(
            |(
                [fixed_columns, advice_columns, instance_columns],
                (advice_queries, instance_queries, fixed_queries),
                selectors,
                expressions,
                gates,
                lookups,
                (permutation, constants),
                minimum_degree,
            )| ConstraintSystem {
                fixed_columns,
                advice_columns,
                instance_columns,
                selectors,
                advice_queries,
                instance_queries,
                fixed_queries,
                expressions,
                gates,
                lookups,
                permutation,
                constants,
                minimum_degree,
            },
        )
}

fn a_layout() -> impl Strategy<Value = Layout> {
    let place = || (any::<u32>(), any::<u32>(), a_field_element());
    let fill = place().prop_map(|(column, from_row, value)| Fill {
        column,
        from_row,
        value,
    });
    let cell = place().prop_map(|(column, row, value)| FixedCell { column, row, value });
    let row = any::<(u32, u32)>().prop_map(|(selector, row)| SelectorRow { selector, row });
    let copy =
        any::<[u32; 4]>().prop_map(|[left_column, left_row, right_column, right_row]| Copy {
            left_column,
            left_row,
            right_column,
            right_row,
        });
    (
        vec(fill, 0..3),
        vec(cell, 0..4),
        vec(row, 0..4),
        vec(copy, 0..4),
    )
        .prop_map(|(fixed_fills, fixed_cells, selector_rows, copies)| Layout {
            fixed_fills,
            fixed_cells,
            selector_rows,
            copies,
        })
}

fn a_circuit() -> impl Strategy<Value = Circuit> {
    let public_input = any::<(String, u32, u32)>().prop_map(|(name, column, rows)| PublicInput {
        name,
        column,
        rows,
    });
    (
        any::<u32>(),
        a_constraint_system(),
        a_layout(),
        vec(public_input, 0..3),
    )
        .prop_map(|(k, constraint_system, layout, public_inputs)| Circuit {
            backend: Backend::Halo2Ipa,
            field: Field::PallasBase,
            k,
            constraint_system,
            layout,
            public_inputs,
        })
}

fn a_witness() -> impl Strategy<Value = Witness> {
    let denominator = (any::<u32>(), any::<u32>(), a_field_element())
        .prop_map(|(column, row, value)| Denominator { column, row, value });
    (
        vec(any::<u32>(), 0..4),
        vec(any::<u8>(), 0..100),
        vec(denominator, 0..4),
        vec(any::<u8>(), 0..100),
    )
        .prop_map(
            |(advice_rows, advice_values, denominators, public_inputs)| Witness {
                advice_rows,
                advice_values,
                denominators,
                public_inputs,
            },
        )
}

/// Places and what to put there.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec(any::<(prop::sample::Index, u8)>(), 1..6)
}

fn damaged(mut bytes: Vec<u8>, damage: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (at, value) in damage {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    bytes
}

proptest! {
    #[test]
    fn any_circuit_comes_back_from_its_bytes(circuit in a_circuit()) {
        prop_assert_eq!(Circuit::decode(&circuit.encode()), Ok(circuit));
    }

    #[test]
    fn any_witness_comes_back_from_its_bytes(witness in a_witness()) {
        prop_assert_eq!(Witness::decode(&witness.encode()), Ok(witness));
    }

    #[test]
    fn any_circuit_is_checked_without_a_panic(circuit in a_circuit()) {
        let _ = circuit.check(&Limits::default());
    }

    #[test]
    fn damaged_bytes_are_refused_or_are_the_encoding_of_what_they_decode_to(
        circuit in a_circuit(),
        damage in damage(),
    ) {
        let bytes = damaged(circuit.encode(), &damage);
        if let Ok(decoded) = Circuit::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn a_damaged_sample_is_refused_or_checked_without_a_panic(damage in damage()) {
        let bytes = damaged(circuit().encode(), &damage);
        if let Ok(decoded) = Circuit::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
            if let Ok(checked) = decoded.check(&Limits::default()) {
                let _ = checked.check_witness(&witness());
            }
        }
    }

    #[test]
    fn a_damaged_witness_is_refused_or_checked_without_a_panic(damage in damage()) {
        let bytes = damaged(witness().encode(), &damage);
        let checked = circuit().check(&Limits::default()).unwrap();
        if let Ok(decoded) = Witness::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
            let _ = checked.check_witness(&decoded);
        }
    }

    #[test]
    fn noise_is_never_decoded(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Circuit::decode(&bytes).is_err());
        prop_assert!(Witness::decode(&bytes).is_err());
        prop_assert!(Annotations::decode(&bytes).is_err());
    }
}
