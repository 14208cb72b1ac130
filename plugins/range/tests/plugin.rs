//! The plugin as the platform calls it: JSON in, recorded circuit and witness out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::freedom;
use aureole_range::{Range, commitment};
use aureole_sdk::native::{self, Error};
use ff::PrimeField;
use pasta_curves::Fp;
use serde_json::{Value, json};

const BLINDING: &str = "0x00000000000000000000000000000000000000000000000000000000005eed00";
const PARAMS: &str = r#"{"bits":64}"#;

fn input(value: impl Into<Value>, lo: impl Into<Value>, hi: impl Into<Value>) -> String {
    let (value, lo, hi) = (value.into(), lo.into(), hi.into());
    json!({ "value": value, "lo": lo, "hi": hi, "blinding": BLINDING }).to_string()
}

/// The place and the text of the problem that the plugin finds in an input.
fn problem(params: &str, input: &str) -> (String, String) {
    match native::witness::<Range>(params, input) {
        Err(Error::Input(problem)) => (problem.path, problem.message),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn a_good_input_satisfies_circuits_of_every_kind_of_width() {
    for bits in [1, 2, 7, 31, 32, 63, 64, 127, 128] {
        let params = json!({ "bits": bits }).to_string();
        assert_eq!(
            native::mock::<Range>(&params, &input(30, 30, 31)),
            Ok(()),
            "{bits} bits"
        );
    }
}

#[test]
fn numbers_and_decimal_strings_mean_the_same() {
    let numbers = native::witness::<Range>(PARAMS, &input(30, 18, 120)).unwrap();
    let strings = native::witness::<Range>(PARAMS, &input("30", "18", "120")).unwrap();
    assert!(numbers == strings);
}

#[test]
fn the_public_inputs_are_commitment_and_bounds() {
    let witness = native::witness::<Range>(PARAMS, &input(30, 18, 120)).unwrap();
    let expected = [
        commitment(30, Fp::from(0x5e_ed00)),
        Fp::from(18),
        Fp::from(120),
    ];
    assert_eq!(
        witness.public_inputs,
        expected.map(|element| element.to_repr()).concat()
    );
}

#[test]
fn the_commitment_to_a_known_value_never_changes() {
    // From a second implementation of Poseidon.
    let known = "0x0537d1922844ef9aa14fe0beef6b1c652def7f3ef8b26ff60ce39aae47a86010";
    assert_eq!(format!("{:?}", commitment(30, Fp::from(0x5e_ed00))), known);
}

#[test]
fn the_largest_numbers_are_decimal_strings() {
    let max = u128::MAX.to_string();
    let full = input(max.clone(), 0, max);
    assert_eq!(native::mock::<Range>(r#"{"bits":128}"#, &full), Ok(()));
    let (path, message) = problem(
        r#"{"bits":128}"#,
        &input("340282366920938463463374607431768211456", 0, 1),
    );
    assert_eq!(path, "/value");
    assert!(message.contains("0 to 2^128 - 1"), "{message}");
}

#[test]
fn what_is_no_whole_number_is_refused_at_its_place() {
    for bad in [
        json!("007"),
        json!("+7"),
        json!("-7"),
        json!(""),
        json!("7.0"),
        json!("٧"),
    ] {
        let (path, message) = problem(PARAMS, &input(8, bad, 9));
        assert_eq!(path, "/lo");
        assert!(message.contains("decimal number"), "{message}");
    }
    for bad in [json!(-7), json!(7.5), json!(null), json!([7]), json!(1e30)] {
        let (path, message) = problem(PARAMS, &input(8, 7, bad));
        assert_eq!(path, "/hi");
        assert!(message.contains("whole number from 0"), "{message}");
    }
}

#[test]
fn a_value_outside_its_bounds_is_refused_without_being_shown() {
    for outside in [7_777, 17] {
        let (path, message) = problem(PARAMS, &input(outside, 18, 120));
        assert_eq!(path, "/value");
        assert_eq!(message, "must be between lo and hi, 18 and 120");
    }
}

#[test]
fn bounds_in_the_wrong_order_are_refused() {
    let (path, message) = problem(PARAMS, &input(30, 31, 29));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("/lo", "must not be above hi")
    );
}

#[test]
fn a_range_wider_than_the_circuit_is_refused_whatever_the_value() {
    for value in [0, 200, 256] {
        let (path, message) = problem(r#"{"bits":8}"#, &input(value, 0, 256));
        assert_eq!(path, "/hi");
        assert!(message.contains("less than 2^8 above lo"), "{message}");
    }
    assert_eq!(
        native::mock::<Range>(r#"{"bits":8}"#, &input(256, 1, 256)),
        Ok(())
    );
}

#[test]
fn a_blinding_that_is_no_field_element_is_refused_without_being_shown() {
    let secret = "f".repeat(64);
    for bad in [secret.clone(), format!("0x{secret}")] {
        let input = json!({ "value": 1, "lo": 1, "hi": 1, "blinding": bad }).to_string();
        let (path, message) = problem(PARAMS, &input);
        assert_eq!(path, "/blinding");
        assert!(!message.contains(&secret), "{message}");
    }
}

#[test]
fn widths_of_none_and_of_more_than_128_bits_are_refused() {
    for bits in [0, 129, u32::MAX] {
        let params = json!({ "bits": bits }).to_string();
        let Err(Error::Params(problem)) = native::circuit::<Range>(&params) else {
            panic!("{bits} bits were accepted");
        };
        assert_eq!(problem.path, "/bits");
        assert!(problem.message.contains("between 1 and 128"), "{problem}");
    }
}

#[test]
fn every_width_passes_the_platforms_rules() {
    for bits in 1..=128 {
        let params = json!({ "bits": bits }).to_string();
        let circuit = native::check::<Range>(&params).unwrap();
        assert_eq!(
            circuit.circuit().k,
            if bits <= 33 { 6 } else { 7 },
            "{bits} bits"
        );
    }
}

#[test]
fn nothing_can_be_moved_but_the_blinding_and_the_range_as_a_whole() {
    for bits in [7, 8] {
        let params = json!({ "bits": bits }).to_string();
        let circuit = native::circuit::<Range>(&params).unwrap();
        let witness = native::witness::<Range>(&params, &input(30, 18, 120)).unwrap();
        let freedom = freedom(&circuit, &witness).unwrap();
        // The blinding is one direction. The other shifts bounds and value together: their
        // differences are in small words.
        assert_eq!(freedom.directions, 2, "{bits} bits: {freedom:?}");
    }
}

#[test]
fn the_schemas_say_what_is_accepted() {
    let description = native::describe::<Range>().unwrap();
    assert_eq!(description.default_params.as_deref(), Some(PARAMS));
    let params: Value = serde_json::from_str(&description.params_schema).unwrap();
    assert_eq!(params["additionalProperties"], false);
    assert_eq!(params["properties"]["bits"]["minimum"], 1);
    assert_eq!(params["properties"]["bits"]["maximum"], 128);
    assert_eq!(params["properties"]["bits"]["default"], 64);
    let input: Value = serde_json::from_str(&description.input_schema).unwrap();
    assert_eq!(input["additionalProperties"], false);
    assert_eq!(
        input["properties"]["blinding"]["pattern"],
        "^0x[0-9a-fA-F]{64}$"
    );
    assert!(description.input_schema.contains("^(0|[1-9][0-9]{0,38})$"));
    assert_eq!(
        native::circuit::<Range>("{}").unwrap(),
        native::circuit::<Range>(PARAMS).unwrap()
    );
}

#[test]
fn the_debug_forms_of_input_and_circuit_show_no_value() {
    let input: aureole_range::Input = serde_json::from_str(&input(30, 18, 120)).unwrap();
    assert_eq!(
        format!("{input:?} {:?}", input.value),
        "Input { .. } Whole { .. }"
    );
    let opening = aureole_range::Opening {
        value: Fp::from(0x5ec7e7),
        blinding: Fp::from(1),
        lo: Fp::from(2),
        hi: Fp::from(3),
    };
    assert_eq!(format!("{opening:?}"), "Opening { .. }");
    let circuit = aureole_range::RangeCircuit::new(64).with_opening(opening);
    assert_eq!(format!("{circuit:?}"), "RangeCircuit { bits: 64, .. }");
}
