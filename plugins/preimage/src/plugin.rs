//! The plugin: JSON in, circuit out.
//!
//! This is all that Aureole asks of an author beyond the circuit itself: three types and six
//! short functions. Messages say what would be right and never repeat a value, because inputs
//! are private and messages are not.

use std::fmt;

use aureole_sdk::{Plugin, Problem, PublicInput, ir::FieldElement};
use ff::PrimeField;
use pasta_curves::Fp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::{MESSAGE_ELEMENTS, PreimageCircuit, digest};

/// The plugin; it has no values, only functions.
#[derive(Clone, Copy, Debug)]
pub struct Preimage;

/// There is one circuit only, so there is nothing to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Preimage parameters")]
pub struct Params {}

/// What one proof is made from. The doc comments become the schema that an API user reads; the
/// attributes let the platform refuse a bad input before it reaches the sandbox.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Preimage input")]
pub struct Input {
    /// The private message: two elements of the Pallas base field, each `0x` and 64 hex digits,
    /// most significant first, and below the field's modulus
    /// 0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001.
    #[schemars(inner(regex(pattern = "^0x[0-9a-fA-F]{64}$")))]
    pub message: [String; MESSAGE_ELEMENTS],
}

impl Plugin for Preimage {
    const NAME: &'static str = "preimage";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Proves knowledge of a message with a given Poseidon digest.";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] =
        &[("digest", "Poseidon digest of the two-element message")];

    type Params = Params;
    type Input = Input;
    type Circuit = PreimageCircuit;

    // Without this a caller would have to send `{}` as parameters each time.
    fn default_params() -> Option<Params> {
        Some(Params {})
    }

    // Which instance cells have which name: one row of column 0.
    fn public_inputs(_params: &Params) -> Vec<PublicInput> {
        vec![PublicInput {
            name: "digest".to_owned(),
            column: 0,
            rows: 1,
        }]
    }

    fn shape(_params: &Params) -> PreimageCircuit {
        PreimageCircuit::default()
    }

    fn assign(_params: &Params, input: Input) -> Result<(PreimageCircuit, Vec<Fp>), Problem> {
        let [first, second] = input.message;
        let message = [
            field_element("/message/0", &first)?,
            field_element("/message/1", &second)?,
        ];
        Ok((PreimageCircuit::new(message), vec![digest(message)]))
    }
}

// The component's exports; on a native target this is nothing, and the crate a plain library.
aureole_sdk::export!(Preimage);

// An input is private: its debug form shows none of it.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

/// Reads a field element; `path` is its place in the input, as a JSON pointer.
fn field_element(path: &str, text: &str) -> Result<Fp, Problem> {
    let element = FieldElement::from_hex(text)
        .ok_or_else(|| Problem::new(path, "must be 0x and exactly 64 hex digits"))?;
    // An integer that is not below the modulus would be another name for a smaller one.
    Option::from(Fp::from_repr(element.0))
        .ok_or_else(|| Problem::new(path, format!("must be below the modulus {}", Fp::MODULUS)))
}
