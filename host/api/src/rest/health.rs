//! Health on the wire.

use serde::{Deserialize, Serialize};

/// Whether the node takes work, and what it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Check {
    /// Its class: `ledger`, `depot`, `workers`, ...
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// In words, for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
