//! Health on the wire.

use serde::{Deserialize, Serialize};

/// That the process answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Live {
    /// Always so.
    pub live: bool,
}

/// Whether the node takes work, and what it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// Whether it takes work: all checks hold.
    pub ready: bool,
    /// The node's version.
    pub version: String,
    /// The node's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The checks, each by the class of what it looks at, never an address or a path.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// One thing that the node depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// Its class: `ledger`, `depot`, `workers`, ...
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// In words, for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
