//! What a caller may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IdError;

/// What a key lets its holder do. Which verb asks for which stands in the gateway's table of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the cluster: everything, and tenants and keys beside it.
    Admin,
    /// Publishes plugins, and uses them.
    Author,
    /// Uses plugins: submits tasks, checks inputs, takes proofs.
    Submitter,
    /// Reads what its tenant has and did, and changes nothing.
    Auditor,
}

// === impl Role ===

impl Role {
    /// Every role, the one that may most first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Author, Self::Submitter, Self::Auditor];

    /// Returns the role's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Author => "author",
            Self::Submitter => "submitter",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let known = Self::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or(IdError::Role)
    }
}
