//! Circuits on the wire: a plugin with parameters, and what was found out about it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "schema")]
use super::form;
use super::{PluginRef, Timestamp};
use crate::Problem;

/// Asks for a plugin's circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CircuitRequest {
    /// The plugin.
    pub plugin: PluginRef,
    /// Its parameters; the plugin's defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
}

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// A worker builds it and makes its keys.
    Preparing,
    /// It takes tasks.
    Ready,
    /// It was refused; `problem` says why.
    Rejected,
}

/// A circuit. Shape and digests are there once it is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Circuit {
    /// Its id, computed from the component and the parameters.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub id: String,
    /// Where it stands.
    pub state: CircuitState,
    /// Digest of the component it comes from.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::DIGEST)))]
    pub component: String,
    /// `name@version` of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The parameters in full.
    pub params: Value,
    /// When it was first asked for.
    pub registered_at: Timestamp,
    /// SHA-256 of the circuit's canonical bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::DIGEST)))]
    pub circuit_digest: Option<String>,
    /// Digest that names its verifying key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::DIGEST)))]
    pub key_digest: Option<String>,
    /// The exact size of its proofs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_bytes: Option<u64>,
    /// k, columns, degree, rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// The names of its gates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// Its public inputs in the order of their columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_inputs: Vec<PublicInput>,
    /// What is odd about it, and was accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<Lint>,
    /// What keys and a proof cost in memory, as the prover estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Value>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Something odd about a circuit that keeps every rule: a guess at a mistake of its author's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lint {
    /// Stable, and none of an error: `lint.gate_never_on`.
    pub code: String,
    /// What it is about: a gate, a column, a public input.
    pub item: String,
    /// What is odd about it.
    pub detail: String,
}

/// One named run of instance cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublicInput {
    /// Its name.
    pub name: String,
    /// The instance column.
    pub column: u32,
    /// How many field elements it takes, after those before it in the column.
    pub rows: u32,
}

/// The counts of a circuit. A reader takes what it knows; `more` holds the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shape {
    /// The circuit has 2^k rows.
    pub k: u32,
    /// Advice columns.
    pub advice_columns: u32,
    /// Fixed columns.
    pub fixed_columns: u32,
    /// Instance columns.
    pub instance_columns: u32,
    /// The highest degree of gates and lookups.
    pub degree: u32,
    /// Rows with something in them.
    pub rows_used: u64,
    /// Every other count, such as selectors, gates, lookups, copies.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

// === impl Circuit ===

impl Circuit {
    /// Whether waiting can still change it.
    pub fn is_settled(&self) -> bool {
        self.state != CircuitState::Preparing
    }
}
