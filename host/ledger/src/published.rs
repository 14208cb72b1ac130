//! What is known of keys beside their circuits: the names they are published under, and which are
//! revoked.

use serde::{Deserialize, Serialize};

use crate::{CircuitId, Digest, Millis, TenantId};

/// A name that keys are published under, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyingKeyName {
    /// The name, `[a-z0-9-]{1,63}`.
    pub name: String,
    /// Who published under it first; nobody else may.
    pub owner: TenantId,
    /// The keys, oldest first, never none. The last is the current one; those before it still verify
    /// unless they are revoked.
    pub versions: Vec<VerifyingKeyVersion>,
}

/// A key under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyingKeyVersion {
    /// Its number under the name, from 1.
    pub version: u32,
    /// The circuit whose key it is.
    pub circuit: CircuitId,
    /// Identity of the key.
    pub key: Digest,
    /// Since when it is, or was, the current one.
    pub published_at: Millis,
}

/// That a key is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Identity of the key.
    pub key: Digest,
    /// Why, for people.
    pub reason: String,
    /// When.
    pub at: Millis,
}
