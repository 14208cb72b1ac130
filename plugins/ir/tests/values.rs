//! Witnesses and public inputs against their circuit, and field elements as bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_ir::{CheckedCircuit, Denominator, Field, FieldElement, Limits, Refusal, Witness};
use common::{assert_refused, circuit, element, modulus, witness};
use proptest::prelude::*;

fn checked() -> CheckedCircuit {
    circuit().check(&Limits::default()).unwrap()
}

fn refusal(change: impl FnOnce(&mut Witness)) -> Refusal {
    let mut changed = witness();
    change(&mut changed);
    checked().check_witness(&changed).unwrap_err()
}

#[test]
fn a_witness_of_its_circuits_shape_is_accepted() {
    assert_eq!(checked().check_witness(&witness()), Ok(()));
}

#[test]
fn a_witness_may_leave_out_rows_at_the_end_but_not_go_beyond_the_usable_ones() {
    let mut shorter = witness();
    shorter.advice_rows = vec![3, 0];
    shorter.advice_values.truncate(3 * 32);
    assert_eq!(checked().check_witness(&shorter), Ok(()));

    let longer = refusal(|witness| {
        witness.advice_rows = vec![27, 0];
        witness.advice_values.resize(27 * 32, 0);
    });
    assert_refused(
        &longer,
        "witness.shape",
        &["advice column 0", "27 rows", "26 are"],
    );
}

#[test]
fn another_number_of_columns_is_refused() {
    let refusal = refusal(|witness| witness.advice_rows.push(0));
    assert_refused(&refusal, "witness.shape", &["advice columns", "3", "2"]);
}

#[test]
fn values_that_do_not_fill_the_rows_are_refused() {
    for bytes in [0, 14 * 32 - 1, 14 * 32 + 1, 15 * 32] {
        let refusal = refusal(|witness| witness.advice_values.resize(bytes, 0));
        assert_refused(&refusal, "witness.shape", &["advice values", "448 bytes"]);
    }
}

#[test]
fn an_advice_value_that_is_not_below_the_modulus_is_refused_by_place() {
    let refusal = refusal(|witness| {
        witness.advice_values[12 * 32..13 * 32].copy_from_slice(&modulus().0);
    });
    assert_refused(
        &refusal,
        "witness.field_non_canonical",
        &["advice column 1, row 1"],
    );
}

#[test]
fn a_denominator_out_of_the_given_rows_or_order_is_refused() {
    let at = |column, row| Denominator {
        column,
        row,
        value: element(1),
    };
    for (column, row, rows) in [(1, 3, "3 rows"), (2, 0, "0 rows"), (0, u32::MAX, "11 rows")] {
        let refusal = refusal(|witness| witness.denominators.push(at(column, row)));
        assert_refused(&refusal, "witness.shape", &["denominator", rows]);
    }
    let twice = refusal(|witness| witness.denominators.push(at(0, 2)));
    assert_refused(&twice, "witness.shape", &["column 0, row 2", "once"]);
}

#[test]
fn a_denominator_that_is_not_below_the_modulus_is_refused_and_zero_is_not() {
    let refusal = refusal(|witness| witness.denominators[0].value = modulus());
    assert_refused(
        &refusal,
        "witness.field_non_canonical",
        &["column 0, row 2"],
    );
    let mut zero = witness();
    zero.denominators[0].value = FieldElement::ZERO;
    assert_eq!(checked().check_witness(&zero), Ok(()));
}

#[test]
fn public_inputs_of_another_number_are_refused_a_trailing_zero_included() {
    for bytes in [0, 32, 63, 65, 96] {
        let refusal = checked().check_public_inputs(&vec![0; bytes]).unwrap_err();
        assert_refused(&refusal, "public_inputs.length", &["exactly 2"]);
    }
    let refusal = refusal(|witness| witness.public_inputs.extend([0; 32]));
    assert_refused(&refusal, "public_inputs.length", &["96 bytes"]);
}

#[test]
fn a_public_input_that_is_not_below_the_modulus_is_refused_by_name() {
    let mut flat = vec![0; 64];
    flat[32..].copy_from_slice(&modulus().0);
    let refusal = checked().check_public_inputs(&flat).unwrap_err();
    assert_refused(
        &refusal,
        "public_inputs.field_non_canonical",
        &["`index`, element 0"],
    );
}

#[test]
fn a_witness_shows_no_value_when_it_is_printed() {
    let mut secret = witness();
    secret.advice_values.fill(0x5e);
    secret.public_inputs.fill(0x5e);
    secret.denominators[0].value = FieldElement([0x5e; 32]);
    let printed = format!("{secret:?} {:?}", secret.denominators);
    for form in ["5e5e", "94, 94", "5E5E"] {
        assert!(!printed.contains(form), "{printed}");
    }
}

#[test]
fn the_largest_canonical_element_is_one_below_the_modulus() {
    let mut below = modulus();
    below.0[0] -= 1;
    assert!(below.is_canonical(Field::PallasBase));
    assert!(!modulus().is_canonical(Field::PallasBase));
    assert!(!FieldElement([0xff; 32]).is_canonical(Field::PallasBase));
}

#[test]
fn hex_of_another_length_prefix_or_alphabet_is_no_element() {
    let hex = element(0xabcd).to_hex();
    assert_eq!(FieldElement::from_hex(&hex), Some(element(0xabcd)));
    for bad in [
        "",
        "0x",
        &hex[2..],
        &hex[..65],
        &format!("{hex}0"),
        &hex.replace("ab", "+b"),
    ] {
        assert_eq!(FieldElement::from_hex(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn every_integer_from_the_modulus_up_is_refused(bytes: [u8; 32]) {
        // Big-endian comparison, written another way than the crate's.
        let big_endian = |bytes: [u8; 32]| {
            let mut bytes = bytes;
            bytes.reverse();
            bytes
        };
        let below = big_endian(bytes) < big_endian(Field::PallasBase.modulus());
        prop_assert_eq!(FieldElement(bytes).is_canonical(Field::PallasBase), below);
    }

    #[test]
    fn limbs_and_hex_bring_an_element_back(bytes: [u8; 32]) {
        let element = FieldElement(bytes);
        prop_assert_eq!(FieldElement::from_limbs(element.to_limbs()), element);
        prop_assert_eq!(FieldElement::from_hex(&element.to_hex()), Some(element));
    }
}
