//! Plugins on the wire.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "schema")]
use super::form;
use super::{Lint, PluginRef, Sharing, Timestamp};
use crate::Problem;

/// Where an uploaded plugin stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    /// A worker finds out what it is.
    Inspecting,
    /// It takes circuits and tasks.
    Ready,
    /// The inspection refused it; `problem` says why.
    Rejected,
    /// It takes nothing new.
    Retired,
}

/// A plugin. What it says of itself is there once it was inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plugin {
    /// SHA-256 of the component: its identity.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::DIGEST)))]
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// Where it stands.
    pub state: PluginState,
    /// The task that inspects it, for the one who uploaded it and for as long as the inspection goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Who signed it first: `ed25519:` and the public key in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// When it was first uploaded.
    pub registered_at: Timestamp,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// One sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The proof system, such as `halo2-ipa`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The field, such as `pallas-base`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// JSON Schema of the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params_schema: Option<Value>,
    /// JSON Schema of one input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// The parameters used when a caller gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_params: Option<Value>,
    /// Id of the circuit that the default parameters give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_circuit: Option<String>,
    /// The public inputs that its circuits may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_inputs: Vec<PublicInputName>,
    /// What is odd about the circuit that the default parameters give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<Lint>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Who may use it beside its uploader; absent on what another tenant shares with the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
}

/// A public input in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublicInputName {
    /// Its name.
    pub name: String,
    /// What it means.
    pub summary: String,
}

/// All plugins, by name and version; schemas and lints are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PluginList {
    /// The plugins.
    pub plugins: Vec<Plugin>,
}

// === impl Plugin ===

impl Plugin {
    /// `name@version`, or the first digits of the digest while it has no name.
    pub fn label(&self) -> String {
        match (&self.name, &self.version) {
            (Some(name), Some(version)) => format!("{name}@{version}"),
            _ => self.digest.chars().take(12).collect(),
        }
    }

    /// The reference that means exactly this plugin; `None` if the digest is malformed.
    pub fn exact(&self) -> Option<PluginRef> {
        self.digest.parse().ok()
    }

    /// Whether waiting can still change it.
    pub fn is_settled(&self) -> bool {
        self.state != PluginState::Inspecting
    }
}
