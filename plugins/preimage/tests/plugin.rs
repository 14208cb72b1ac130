//! The plugin as the platform calls it: JSON in, recorded circuit and witness out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::freedom;
use aureole_preimage::{Preimage, digest};
use aureole_sdk::native::{self, Error};
use ff::PrimeField;
use pasta_curves::Fp;
use serde_json::{Value, json};

fn element(value: u64) -> String {
    format!("0x{value:064x}")
}

fn input(first: &str, second: &str) -> String {
    json!({ "message": [first, second] }).to_string()
}

/// The place and the text of the problem that the plugin finds in an input.
fn problem(input: &str) -> (String, String) {
    match native::witness::<Preimage>("{}", input) {
        Err(Error::Input(problem)) => (problem.path, problem.message),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn a_good_input_satisfies_the_circuit() {
    let input = input(&element(6), &element(42));
    assert_eq!(native::mock::<Preimage>("{}", &input), Ok(()));
}

#[test]
fn the_public_input_is_the_digest_of_the_message() {
    let witness = native::witness::<Preimage>("{}", &input(&element(6), &element(42))).unwrap();
    let expected = digest([Fp::from(6), Fp::from(42)]);
    assert_eq!(witness.public_inputs, expected.to_repr());
}

#[test]
fn the_digest_of_a_known_message_never_changes() {
    // From a second implementation of Poseidon.
    let known = "0x0a62b46e9c6c6c83eb6f63bc9624de8bc8e4f5b7ce1f05d930003c4af2853787";
    assert_eq!(format!("{:?}", digest([Fp::from(6), Fp::from(42)])), known);
}

#[test]
fn the_circuit_has_sixty_four_rows_and_passes_the_platforms_rules() {
    let circuit = native::check::<Preimage>("{}").unwrap();
    assert_eq!(circuit.circuit().k, 6);
    assert_eq!(circuit.circuit().public_inputs.len(), 1);
}

#[test]
fn the_message_is_all_that_a_prover_can_choose() {
    let circuit = native::circuit::<Preimage>("{}").unwrap();
    let witness = native::witness::<Preimage>("{}", &input(&element(6), &element(42))).unwrap();
    let freedom = freedom(&circuit, &witness).unwrap();
    // Two private elements; the digest follows from them.
    assert_eq!(freedom.directions, 2, "{freedom:?}");
}

#[test]
fn what_is_no_field_element_is_refused_at_its_place() {
    let modulus = "0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001";
    let short = "0x1234567";
    for bad in [short, "", &"0".repeat(66), &format!("0x{}", "g".repeat(64))] {
        let (path, message) = problem(&input(&element(1), bad));
        assert_eq!(path, "/message/1");
        assert_eq!(message, "must be 0x and exactly 64 hex digits");
    }
    let (path, message) = problem(&input(modulus, &element(1)));
    assert_eq!(path, "/message/0");
    assert_eq!(message, format!("must be below the modulus {modulus}"));
}

#[test]
fn no_message_repeats_a_private_value() {
    let secret = "5ec7e75ec7e7";
    for bad in [
        json!({ "message": [secret, "0x"] }),
        json!({ "message": [format!("0x{}", secret.repeat(6)), "0x"] }),
        json!({ "message": secret }),
        json!({ "message": [[secret], "0x"] }),
    ] {
        let (_, message) = problem(&bad.to_string());
        assert!(!message.contains(secret), "{message}");
    }
}

#[test]
fn other_fields_and_missing_ones_are_refused() {
    let (_, message) = problem("{}");
    assert!(message.contains("message"), "{message}");
    let extra = json!({ "message": [element(1), element(2)], "massage": 1 });
    let (_, message) = problem(&extra.to_string());
    assert!(message.contains("massage"), "{message}");
    assert!(matches!(
        native::circuit::<Preimage>(r#"{"depth":3}"#),
        Err(Error::Params(_))
    ));
}

#[test]
fn the_schemas_say_what_an_element_looks_like() {
    let description = native::describe::<Preimage>().unwrap();
    assert_eq!(description.name, "preimage");
    assert_eq!(description.default_params.as_deref(), Some("{}"));
    let schema: Value = serde_json::from_str(&description.input_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let message = &schema["properties"]["message"];
    assert_eq!(message["items"]["pattern"], "^0x[0-9a-fA-F]{64}$");
    assert_eq!(
        (&message["minItems"], &message["maxItems"]),
        (&json!(2), &json!(2))
    );
    assert!(
        message["description"]
            .as_str()
            .unwrap()
            .contains("private message")
    );
}

#[test]
fn the_debug_forms_of_input_and_circuit_show_no_value() {
    let input: aureole_preimage::Input =
        serde_json::from_str(&input(&element(0x5ec7e7), &element(42))).unwrap();
    assert_eq!(format!("{input:?}"), "Input { .. }");
    let circuit = aureole_preimage::PreimageCircuit::new([Fp::from(0x5ec7e7), Fp::from(42)]);
    assert_eq!(format!("{circuit:?}"), "PreimageCircuit { .. }");
}
