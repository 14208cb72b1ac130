//! The plugin as the platform calls it: JSON in, recorded circuit and witness out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::freedom;
use aureole_merkle::{Merkle, leaf_halves, root};
use aureole_sdk::native::{self, Error};
use ff::PrimeField;
use pasta_curves::Fp;
use serde_json::{Value, json};

/// The two leaves of the project's first example; the second is beyond the field's modulus.
const LEAVES: [&str; 2] = [
    "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef",
    "0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321",
];
const DEPTH_2: &str = r#"{"depth":2}"#;

fn leaf_bytes() -> [[u8; 32]; 2] {
    let half = |text: [u8; 8]| [text; 4].concat().try_into().unwrap();
    [
        half(0x1234_5678_90ab_cdef_u64.to_be_bytes()),
        half(0xfedc_ba09_8765_4321_u64.to_be_bytes()),
    ]
}

fn input(leaves: impl Into<Value>, leaf_index: impl Into<Value>) -> String {
    json!({ "leaves": leaves.into(), "leaf_index": leaf_index.into() }).to_string()
}

/// The place and the text of the problem that the plugin finds in an input.
fn problem(params: &str, input: &str) -> (String, String) {
    match native::witness::<Merkle>(params, input) {
        Err(Error::Input(problem)) => (problem.path, problem.message),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn the_first_example_satisfies_the_default_circuit() {
    for index in [0, 1] {
        assert_eq!(
            native::mock::<Merkle>("{}", &input(LEAVES.to_vec(), index)),
            Ok(())
        );
    }
}

#[test]
fn the_root_of_the_first_example_never_changes() {
    let root = root(&leaf_bytes(), 16).unwrap();
    let known = "0x3951a329b3f6d5900314b4cc2b0d9116f056cd247a3ab8bba94f20ed71e03e83";
    assert_eq!(format!("{root:?}"), known);
}

#[test]
fn the_public_inputs_are_what_the_parameters_choose() {
    let public = |params: &str| {
        let witness = native::witness::<Merkle>(params, &input(LEAVES.to_vec(), 1)).unwrap();
        let circuit = native::circuit::<Merkle>(params).unwrap();
        let names: Vec<_> = circuit
            .public_inputs
            .iter()
            .map(|i| (i.name.clone(), i.rows))
            .collect();
        (names, witness.public_inputs)
    };
    let root = root(&leaf_bytes(), 2).unwrap().to_repr().to_vec();
    let leaf = leaf_halves(&leaf_bytes()[1])
        .map(|half| half.to_repr())
        .concat();
    let index = Fp::from(1).to_repr().to_vec();
    let name = |name: &str, rows| (name.to_owned(), rows);

    assert_eq!(public(DEPTH_2), (vec![name("root", 1)], root.clone()));
    assert_eq!(
        public(r#"{"depth":2,"public_index":true}"#),
        (
            vec![name("root", 1), name("index", 1)],
            [root.clone(), index.clone()].concat()
        )
    );
    assert_eq!(
        public(r#"{"depth":2,"public_leaf":true}"#),
        (
            vec![name("root", 1), name("leaf", 2)],
            [root.clone(), leaf.clone()].concat()
        )
    );
    assert_eq!(
        public(r#"{"depth":2,"public_leaf":true,"public_index":true}"#),
        (
            vec![name("root", 1), name("leaf", 2), name("index", 1)],
            [root, leaf, index].concat()
        )
    );
}

#[test]
fn every_choice_of_public_inputs_satisfies_its_circuit() {
    for params in [
        r#"{"depth":2,"public_index":true}"#,
        r#"{"depth":2,"public_leaf":true}"#,
        r#"{"depth":2,"public_leaf":true,"public_index":true}"#,
    ] {
        assert_eq!(
            native::mock::<Merkle>(params, &input(LEAVES.to_vec(), 1)),
            Ok(())
        );
    }
}

#[test]
fn every_depth_passes_the_platforms_rules() {
    for depth in 1..=32 {
        let params = json!({ "depth": depth }).to_string();
        let circuit = native::check::<Merkle>(&params).unwrap();
        let k = match depth {
            1..=2 => 8,
            3..=8 => 9,
            9..=20 => 10,
            _ => 11,
        };
        assert_eq!(circuit.circuit().k, k, "depth {depth}");
    }
}

#[test]
fn nothing_can_be_moved_but_the_siblings() {
    let params = r#"{"depth":3}"#;
    let circuit = native::circuit::<Merkle>(params).unwrap();
    for index in [0, 1] {
        let witness = native::witness::<Merkle>(params, &input(LEAVES.to_vec(), index)).unwrap();
        let freedom = freedom(&circuit, &witness).unwrap();
        // Three siblings; the leaf is in small words and the index in bits.
        assert_eq!(freedom.directions, 3, "{freedom:?}");
    }
}

#[test]
fn a_leaf_of_another_length_or_alphabet_is_refused_at_its_place() {
    let good = LEAVES[0];
    for bad in [
        "",
        "0x",
        &good[2..],
        &good[..65],
        &format!("{good}0"),
        &good.replace('a', "g"),
    ] {
        let leaves = vec![good, good, good, bad];
        let (path, message) = problem(DEPTH_2, &input(leaves, 0));
        assert_eq!(path, "/leaves/3");
        assert_eq!(message, "must be 0x and exactly 64 hex digits");
    }
    let (path, _) = problem(DEPTH_2, &input(json!([good, 7]), 0));
    assert_eq!(path, "/leaves/1");
}

#[test]
fn an_index_without_a_leaf_is_refused_with_the_number_of_leaves() {
    for index in [2_u64, 3, 4, 1 << 32, u64::MAX] {
        let (path, message) = problem(DEPTH_2, &input(LEAVES.to_vec(), index));
        assert_eq!(path, "/leaf_index");
        assert_eq!(message, "must be below the number of leaves, 2");
    }
    for bad in [json!(-1), json!("1"), json!(0.5), json!(null)] {
        let (path, _) = problem(DEPTH_2, &input(LEAVES.to_vec(), bad));
        assert_eq!(path, "/leaf_index");
    }
}

#[test]
fn no_leaves_and_too_many_are_refused() {
    let (path, message) = problem(DEPTH_2, &input(json!([]), 0));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("/leaves", "must hold at least one leaf")
    );
    let (path, message) = problem(DEPTH_2, &input(vec![LEAVES[0]; 5], 0));
    assert_eq!(path, "/leaves");
    assert_eq!(message, "must hold at most 4 leaves for depth 2, not 5");
    let (_, message) = problem(r#"{"depth":32}"#, &input(vec![LEAVES[0]; 65_537], 0));
    assert_eq!(
        message,
        "must hold at most 65536 leaves for depth 32, not 65537"
    );
}

#[test]
fn no_message_repeats_a_private_value() {
    let secret = "5ec7e75ec7e7";
    for bad in [
        input(vec![secret], 0),
        input(secret, 0),
        input(json!([[secret]]), 0),
        input(LEAVES.to_vec(), secret),
        input(LEAVES.to_vec(), 5_757_575_757_u64),
    ] {
        let (_, message) = problem(DEPTH_2, &bad);
        assert!(
            !message.contains(secret) && !message.contains("57575"),
            "{message}"
        );
    }
}

#[test]
fn a_depth_of_none_and_of_more_than_32_is_refused() {
    for depth in [0, 33, u32::MAX] {
        let params = json!({ "depth": depth }).to_string();
        let Err(Error::Params(problem)) = native::circuit::<Merkle>(&params) else {
            panic!("depth {depth} was accepted");
        };
        assert_eq!(problem.path, "/depth");
        assert!(problem.message.contains("between 1 and 32"), "{problem}");
    }
    let misspelt = native::circuit::<Merkle>(r#"{"dept":3}"#);
    assert!(matches!(misspelt, Err(Error::Params(_))));
}

#[test]
fn the_schemas_say_what_is_accepted() {
    let description = native::describe::<Merkle>().unwrap();
    let params: Value = serde_json::from_str(&description.params_schema).unwrap();
    assert_eq!(params["additionalProperties"], false);
    assert_eq!(params["properties"]["depth"]["minimum"], 1);
    assert_eq!(params["properties"]["depth"]["maximum"], 32);
    assert_eq!(params["properties"]["depth"]["default"], 16);
    assert_eq!(params["properties"]["public_leaf"]["default"], false);
    let input: Value = serde_json::from_str(&description.input_schema).unwrap();
    assert_eq!(input["additionalProperties"], false);
    assert_eq!(input["required"], json!(["leaves", "leaf_index"]));
    let leaves = &input["properties"]["leaves"];
    assert_eq!(leaves["items"]["pattern"], "^0x[0-9a-fA-F]{64}$");
    assert_eq!(
        (&leaves["minItems"], &leaves["maxItems"]),
        (&json!(1), &json!(65_536))
    );
    assert_eq!(input["properties"]["leaf_index"]["minimum"], 0);
    assert_eq!(
        native::circuit::<Merkle>("{}").unwrap(),
        native::circuit::<Merkle>(&description.default_params.unwrap()).unwrap()
    );
}

#[test]
fn the_debug_forms_of_input_and_circuit_show_no_value() {
    let input: aureole_merkle::Input = serde_json::from_str(&input(LEAVES.to_vec(), 1)).unwrap();
    assert_eq!(format!("{input:?}"), "Input { leaves: 2, .. }");
    let opening = aureole_merkle::Opening {
        halves: leaf_halves(&leaf_bytes()[0]),
        index: 1,
        siblings: Vec::new(),
    };
    assert_eq!(format!("{opening:?}"), "Opening { .. }");
    let shape = aureole_merkle::Shape {
        depth: 1,
        public_leaf: false,
        public_index: false,
    };
    let circuit = aureole_merkle::MerkleCircuit::new(shape).with_opening(&opening);
    assert_eq!(
        format!("{circuit:?}"),
        format!("MerkleCircuit {{ shape: {shape:?}, .. }}")
    );
}
