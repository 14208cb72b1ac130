//! The plugin: JSON in, circuit out.
//!
//! Doc comments and attributes of [`Params`] and [`Input`] become the JSON Schemas that callers
//! read and that the platform checks inputs against before it runs any of this code.

use aureole_sdk::{Fp, K, Plugin, Problem, PublicInput};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::ProductCircuit;

/// The plugin; it has no values, only functions.
#[derive(Clone, Copy, Debug)]
pub struct ProductPlugin;

/// Chooses the circuit: each value of these is one circuit with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How many factors there are.
    #[schemars(range(min = 2, max = 1000))]
    pub factors: u32,
}

/// What one proof is made from. Private: it leaves the sandbox as a witness only.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The private factors, as many as the parameters say, none of them zero.
    pub factors: Vec<u64>,
}

impl Plugin for ProductPlugin {
    const NAME: &'static str = "__name__";
    // Bytes published under a version never change: raise it in Cargo.toml before you publish.
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Proves knowledge of numbers with a given product.";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] =
        &[("product", "the product of the private factors")];

    type Params = Params;
    type Input = Input;
    type Circuit = ProductCircuit;

    // Used when a caller gives no parameters; without it every caller has to.
    fn default_params() -> Option<Params> {
        Some(Params { factors: 3 })
    }

    // 2^k rows: the smallest k that fits. `K::Fixed(k)` pins it.
    fn k(_params: &Params) -> K {
        K::Auto
    }

    fn validate(params: &Params) -> Result<(), Problem> {
        match params.factors {
            2..=1000 => Ok(()),
            _ => Err(Problem::new("/factors", "must be from 2 to 1000")),
        }
    }

    // Which instance cells have which name: one row of column 0.
    fn public_inputs(_params: &Params) -> Vec<PublicInput> {
        vec![PublicInput {
            name: "product".to_owned(),
            column: 0,
            rows: 1,
        }]
    }

    fn shape(params: &Params) -> ProductCircuit {
        ProductCircuit::shape(params.factors as usize)
    }

    fn assign(params: &Params, input: Input) -> Result<(ProductCircuit, Vec<Fp>), Problem> {
        let wanted = params.factors as usize;
        if input.factors.len() != wanted {
            let message = format!("must have {wanted} numbers");
            return Err(Problem::new("/factors", message));
        }
        // Such a check spares callers a useless proof. It guards nothing: whoever computes a
        // witness by other means does not run it. What a proof must mean stands in the circuit.
        if let Some(at) = input.factors.iter().position(|factor| *factor == 0) {
            return Err(Problem::new(format!("/factors/{at}"), "must not be zero"));
        }
        let factors: Vec<Fp> = input.factors.into_iter().map(Fp::from).collect();
        let product = factors.iter().product();
        Ok((ProductCircuit::new(&factors), vec![product]))
    }
}

// The component's exports; on any other target this is nothing, and the crate a plain library.
aureole_sdk::export!(ProductPlugin);
