//! The trait an author implements.

use std::fmt;

use aureole_ir::PublicInput;
use halo2_proofs::plonk::Circuit;
use pasta_curves::Fp;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// A circuit, its parameters and its witness builder.
///
/// Nothing here may depend on anything but its arguments: the platform compares what two nodes
/// record. Put `#[serde(deny_unknown_fields)]` on `Params` and `Input`, so that a misspelt field
/// is an error and not a default.
pub trait Plugin: Sized + 'static {
    /// Lower-case letters, digits and dashes; 1 to 63 characters.
    const NAME: &'static str;
    /// A semantic version, usually `env!("CARGO_PKG_VERSION")`. Bytes published under a name and
    /// version never change.
    const VERSION: &'static str;
    /// One sentence for lists.
    const SUMMARY: &'static str;
    /// Name and one-line summary of every public input that a circuit of this plugin may have.
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)];

    /// What chooses among the plugin's circuits; an empty struct when there is one only.
    type Params: Serialize + DeserializeOwned + JsonSchema;
    /// What one proof is made from. Private.
    type Input: DeserializeOwned + JsonSchema;
    /// The circuit.
    type Circuit: Circuit<Fp>;

    /// The parameters used when a caller gives none.
    #[must_use]
    fn default_params() -> Option<Self::Params> {
        None
    }

    /// How many rows the circuit has.
    #[must_use]
    fn k(_params: &Self::Params) -> K {
        K::Auto
    }

    /// Finds what is wrong with parameters that fit their type, such as a depth of zero. Called
    /// before everything below.
    ///
    /// # Errors
    /// The first problem, with its place in the parameters.
    fn validate(_params: &Self::Params) -> Result<(), Problem> {
        Ok(())
    }

    /// The public inputs of this circuit, in the order in which [`assign`](Self::assign) gives
    /// their values: name, instance column, rows.
    fn public_inputs(params: &Self::Params) -> Vec<PublicInput>;

    /// The circuit without a witness.
    fn shape(params: &Self::Params) -> Self::Circuit;

    /// The circuit with its witness, and the values of its public inputs.
    ///
    /// # Errors
    /// The first problem, with its place in the input. The message must not show values.
    fn assign(
        params: &Self::Params,
        input: Self::Input,
    ) -> Result<(Self::Circuit, Vec<Fp>), Problem>;
}

/// How many rows a circuit has: 2^k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum K {
    /// The smallest k in which the circuit fits.
    Auto,
    /// This k.
    Fixed(u32),
}

/// What is wrong with one place in a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON pointer (RFC 6901), such as `/leaves/3`; empty for the whole document.
    pub path: String,
    /// What is wrong and what would be right; never the value itself.
    pub message: String,
}

// === impl Problem ===

impl Problem {
    /// A problem at a place.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for Problem {}
