//! The trait through the native calls: what the sandbox would answer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_sdk::halo2_proofs::circuit::SimpleFloorPlanner;
use aureole_sdk::native::{self, Error};
use aureole_sdk::schemars::JsonSchema;
use aureole_sdk::serde::{Deserialize, Serialize};
use aureole_sdk::serde_json::{self, Value as Json};
use aureole_sdk::{Fp, K, Plugin, Problem, PublicInput};
use common::{CopiesOnly, Everything};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(crate = "aureole_sdk::serde", deny_unknown_fields)]
#[schemars(crate = "aureole_sdk::schemars")]
struct Params {
    /// How many rows.
    rows: u32,
    #[serde(default)]
    k: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(crate = "aureole_sdk::serde", deny_unknown_fields)]
#[schemars(crate = "aureole_sdk::schemars")]
struct Input {
    values: Vec<u64>,
    #[serde(default, rename = "a/b~c")]
    odd: Option<Kind>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(crate = "aureole_sdk::serde", rename_all = "lowercase")]
#[schemars(crate = "aureole_sdk::schemars")]
enum Kind {
    Plain,
    Short,
}

struct Copies;

impl Plugin for Copies {
    const NAME: &'static str = "copies";
    const VERSION: &'static str = "1.2.3";
    const SUMMARY: &'static str = "copies a public value";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] = &[("value", "the value")];
    type Params = Params;
    type Input = Input;
    type Circuit = CopiesOnly;

    fn default_params() -> Option<Params> {
        Some(Params { rows: 4, k: None })
    }

    fn k(params: &Params) -> K {
        params.k.map_or(K::Auto, K::Fixed)
    }

    fn validate(params: &Params) -> Result<(), Problem> {
        match params.rows {
            0 => Err(Problem::new("/rows", "at least one row is needed")),
            _ => Ok(()),
        }
    }

    fn public_inputs(params: &Params) -> Vec<PublicInput> {
        match params.rows {
            // Mistakes that the calls are to find.
            100 => vec![PublicInput::new("other", 0, 1)],
            101 => vec![PublicInput::new("value", 1, 1)],
            _ => vec![PublicInput::new("value", 0, 1)],
        }
    }

    fn shape(params: &Params) -> CopiesOnly {
        CopiesOnly {
            rows: params.rows as usize,
        }
    }

    fn assign(params: &Params, input: Input) -> Result<(CopiesOnly, Vec<Fp>), Problem> {
        if input.values.is_empty() {
            return Err(Problem::new("/values", "one value is needed"));
        }
        let mut values: Vec<_> = input.values.into_iter().map(Fp::from).collect();
        if matches!(input.odd, Some(Kind::Short)) {
            values.clear();
        }
        Ok((Self::shape(params), values))
    }
}

const PARAMS: &str = r#"{"rows":4}"#;

fn input_problem(input: &str) -> Problem {
    match native::witness::<Copies>(PARAMS, input).unwrap_err() {
        Error::Input(problem) => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_plugin_describes_itself_with_schemas() {
    let description = native::describe::<Copies>().unwrap();
    assert_eq!(
        (description.name.as_str(), description.version.as_str()),
        ("copies", "1.2.3")
    );
    assert_eq!(
        description.default_params.as_deref(),
        Some(r#"{"rows":4,"k":null}"#)
    );
    let schema: Json = serde_json::from_str(&description.params_schema).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["properties"]["rows"]["description"],
        "How many rows."
    );
    let schema: Json = serde_json::from_str(&description.input_schema).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["values"]));
}

#[test]
fn a_circuit_and_its_witness_fit_each_other_and_satisfy_the_mock_prover() {
    let checked = native::check::<Copies>(PARAMS).unwrap();
    let witness = native::witness::<Copies>(PARAMS, r#"{"values":[9]}"#).unwrap();
    assert_eq!(checked.check_witness(&witness), Ok(()));
    assert_eq!(witness.advice_rows, [4]);
    assert_eq!(native::mock::<Copies>(PARAMS, r#"{"values":[9]}"#), Ok(()));
    let annotations = native::annotate::<Copies>(PARAMS).unwrap();
    assert_eq!(annotations.regions[0].name, "copies");
}

#[test]
fn run_time_parameters_choose_the_circuit() {
    let small = native::check::<Copies>(PARAMS).unwrap();
    let large = native::check::<Copies>(r#"{"rows":40}"#).unwrap();
    let wide = native::check::<Copies>(r#"{"rows":4,"k":9}"#).unwrap();
    assert_eq!(
        (small.shape().k, large.shape().k, wide.shape().k),
        (4, 6, 9)
    );
    assert_ne!(small.digest(), wide.digest());
}

#[test]
fn a_problem_in_the_input_is_named_by_its_pointer() {
    assert_eq!(input_problem(r#"{"values":[1,2,"x"]}"#).path, "/values/2");
    assert_eq!(input_problem(r#"{"values":[-1]}"#).path, "/values/0");
    assert_eq!(input_problem(r#"{"values":[]}"#).path, "/values");
    let escaped = input_problem(r#"{"values":[1],"a/b~c":"neither"}"#);
    assert_eq!(escaped.path, "/a~1b~0c");
    let unknown = input_problem(r#"{"values":[1],"colour":1}"#);
    assert!(unknown.message.contains("colour"), "{unknown}");
    let missing = input_problem("{}");
    assert!(missing.message.contains("`values`"), "{missing}");
}

#[test]
fn a_problem_never_shows_the_private_value() {
    let secrets = [
        (r#"{"values":["hunter2, expected a` \"x"]}"#, "hunter2"),
        (r#"{"values":[18446744073709551616]}"#, "1844"),
        (r#"{"values":[-77331]}"#, "77331"),
        (r#"{"values":[1.25e7]}"#, "125"),
        (r#"{"values":[1],"a/b~c":"hunter2"}"#, "hunter2"),
        (r#"{"values":"hunter2"}"#, "hunter2"),
        (r#""hunter2""#, "hunter2"),
    ];
    for (input, secret) in secrets {
        let problem = input_problem(input);
        assert!(!problem.to_string().contains(secret), "{problem}");
        assert!(problem.message.contains("expected"), "{problem}");
    }
    let problem = input_problem(r#"{"values":["hunter2"]}"#);
    assert_eq!(problem.message, "invalid type: string, expected u64");
}

#[test]
fn text_that_is_not_one_json_document_is_an_input_problem() {
    for input in ["", "{", r#"{"values":[1]} x"#, "\u{0}", r#"{"values":[1}"#] {
        let problem = input_problem(input);
        assert!(problem.message.starts_with("not JSON"), "{problem}");
    }
}

#[test]
fn parameters_are_checked_before_anything_else() {
    for (params, path) in [
        (r#"{"rows":0}"#, "/rows"),
        (r#"{"rows":"x"}"#, "/rows"),
        (r#"{"rows":1,"columns":2}"#, "/columns"),
    ] {
        for error in [
            native::circuit::<Copies>(params).unwrap_err(),
            native::witness::<Copies>(params, "not even JSON").unwrap_err(),
            native::annotate::<Copies>(params).unwrap_err(),
        ] {
            match error {
                Error::Params(problem) => assert_eq!(problem.path, path, "{problem}"),
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn public_inputs_that_do_not_fit_are_the_plugins_own_failure() {
    let undescribed = native::circuit::<Copies>(r#"{"rows":100}"#).unwrap_err();
    assert!(
        matches!(&undescribed, Error::UndescribedPublicInput { name } if name == "other"),
        "{undescribed}"
    );
    for error in [
        native::circuit::<Copies>(r#"{"rows":101}"#).unwrap_err(),
        native::witness::<Copies>(r#"{"rows":101}"#, r#"{"values":[1]}"#).unwrap_err(),
    ] {
        assert!(
            matches!(
                error,
                Error::NoInstanceColumn {
                    column: 1,
                    columns: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
    for (input, given) in [
        (r#"{"values":[1,2]}"#, 2),
        (r#"{"values":[1],"a/b~c":"short"}"#, 0),
    ] {
        let error = native::witness::<Copies>(PARAMS, input).unwrap_err();
        assert!(
            matches!(error, Error::PublicValues { given: found, declared: 1 } if found == given),
            "{error}"
        );
    }
}

/// A plugin whose circuit breaks a rule and whose witness does not satisfy it.
struct Wrong;

impl Plugin for Wrong {
    const NAME: &'static str = "wrong";
    const VERSION: &'static str = "0.0.1";
    const SUMMARY: &'static str = "";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] =
        &[("Seven", ""), ("product", "")];
    type Params = Params;
    type Input = Input;
    type Circuit = Everything<SimpleFloorPlanner>;

    fn public_inputs(_: &Params) -> Vec<PublicInput> {
        vec![
            PublicInput::new("Seven", 1, 1),
            PublicInput::new("product", 0, 1),
        ]
    }

    fn shape(_: &Params) -> Self::Circuit {
        Everything::unknown()
    }

    fn assign(_: &Params, input: Input) -> Result<(Self::Circuit, Vec<Fp>), Problem> {
        let product = input.values.iter().copied().map(Fp::from).sum();
        Ok((Everything::new(3, 5), vec![Fp::from(7), product]))
    }
}

#[test]
fn a_circuit_that_breaks_a_rule_is_refused_with_its_code() {
    let error = native::check::<Wrong>(PARAMS).unwrap_err();
    assert!(
        matches!(&error, Error::Refused(refusal) if refusal.code == "ir.name"),
        "{error}"
    );
    assert!(error.to_string().contains("ir.name"));
}

#[test]
fn a_witness_that_does_not_satisfy_the_circuit_is_recorded_and_the_mock_prover_says_so() {
    assert!(native::witness::<Wrong>(PARAMS, r#"{"values":[16]}"#).is_ok());
    assert_eq!(native::mock::<Wrong>(PARAMS, r#"{"values":[15]}"#), Ok(()));
    let failures = native::mock::<Wrong>(PARAMS, r#"{"values":[16]}"#).unwrap_err();
    assert!(!failures.is_empty());
    let failures = native::mock::<Wrong>(PARAMS, "{}").unwrap_err();
    assert!(failures[0].contains("values"), "{failures:?}");
}
