//! Verifying keys on the wire: published, rotated, revoked.

use serde::{Deserialize, Serialize};

use super::Timestamp;
#[cfg(feature = "schema")]
use super::form;

/// A circuit's verifying key.
///
/// halo2 has no bytes of a key to publish: whoever verifies makes the key from the circuit's canonical
/// bytes and compares its digest with this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CircuitKey {
    /// The circuit.
    pub circuit: String,
    /// Identity of the key: a hash over proof system, crate versions, k, circuit and pinned key.
    pub key_digest: String,
    /// SHA-256 of the circuit's canonical bytes.
    pub circuit_digest: String,
    /// Where those are: a path on this node.
    pub url: String,
    /// The exact size of proofs under it.
    pub proof_bytes: u64,
    /// The names it is published under, each with its version there.
    #[serde(default)]
    pub names: Vec<String>,
    /// That it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// That a key is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revocation {
    /// Identity of the key.
    pub key_digest: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A name and the keys that were published under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyingKey {
    /// The name.
    pub name: String,
    /// The keys, newest first. The first is the current one; the others verify as before unless they
    /// are revoked.
    pub versions: Vec<VerifyingKeyVersion>,
}

/// A key under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyingKeyVersion {
    /// Its number, from 1.
    pub version: u32,
    /// What it is good for.
    pub state: VerifyingKeyState,
    /// The circuit.
    pub circuit: String,
    /// Identity of the key.
    pub key_digest: String,
    /// When it became the current one.
    pub published_at: Timestamp,
    /// That it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// What a key under a name is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerifyingKeyState {
    /// New proofs are to be made under it.
    Current,
    /// Another one has taken its place; proofs under it verify.
    Superseded,
    /// Proofs under it are worth nothing.
    Revoked,
}

/// Every name, and every revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyingKeyList {
    /// The names, in their order.
    pub keys: Vec<VerifyingKey>,
    /// The revoked keys, named or not.
    pub revocations: Vec<Revocation>,
}

/// Publishes a circuit's key under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyingKeyRequest {
    /// The circuit.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::CIRCUIT)))]
    pub circuit: String,
}

/// Revokes a circuit's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// Why, for whoever meets a proof under it: 1 to 512 bytes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 512)))]
    pub reason: String,
}
