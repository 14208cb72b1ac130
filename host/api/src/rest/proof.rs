//! Proofs, public inputs and verdicts on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Revocation;
#[cfg(feature = "schema")]
use super::form;

/// Public inputs by name.
pub type PublicInputs = BTreeMap<String, Elements>;

/// The field elements of one public input: a lone one is written without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Elements {
    /// Exactly one.
    One(#[cfg_attr(feature = "schema", schemars(regex(pattern = form::ELEMENT)))] String),
    /// Any other number.
    Many(
        #[cfg_attr(feature = "schema", schemars(inner(regex(pattern = form::ELEMENT))))]
        Vec<String>,
    ),
}

/// A finished task's proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProofRecord {
    /// SHA-256 of the bytes.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::DIGEST)))]
    pub digest: String,
    /// How many bytes.
    pub bytes: u64,
    /// Where the bytes are: a path on this node.
    pub url: String,
    /// The bytes in base64; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// Asks whether a proof verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// Id of the circuit.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub circuit: String,
    /// The public inputs by name, as a task shows them.
    pub public_inputs: PublicInputs,
    /// The proof in standard base64 with padding.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::BASE64)))]
    pub proof: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Whether the proof verifies under the circuit's key for exactly these public inputs.
    pub valid: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// That the circuit's key is revoked. The proof is not valid then, whatever the mathematics say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

// === impl Elements ===

impl Elements {
    /// Writes big-endian elements the way the API shows them.
    pub fn from_big_endian(elements: &[[u8; 32]]) -> Self {
        match elements {
            [one] => Self::One(hex(one)),
            many => Self::Many(many.iter().map(hex).collect()),
        }
    }

    /// The elements as text, in order.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

fn hex(element: &[u8; 32]) -> String {
    element.iter().fold(String::from("0x"), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
        text
    })
}
