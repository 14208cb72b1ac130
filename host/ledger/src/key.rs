//! API keys: a public name and the digest of a secret that nobody here knows.

use serde::{Deserialize, Serialize};

use crate::{Digest, KeyId, Millis, Role, TenantId};

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its public part.
    pub id: KeyId,
    /// SHA-256 of its secret part.
    pub secret: Digest,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it lets its holder do.
    pub role: Role,
    /// What it is for, in its maker's words.
    pub label: String,
    /// When it was made.
    pub created_at: Millis,
    /// From when on it opens nothing.
    pub expires_at: Option<Millis>,
    /// Since when it opens nothing.
    pub revoked_at: Option<Millis>,
}

// === impl KeyRecord ===

impl KeyRecord {
    /// Says whether it opens something at a moment.
    pub fn is_alive(&self, now: Millis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Returns when it ceased to open anything, if it did.
    pub fn ended_at(&self, now: Millis) -> Option<Millis> {
        let expired = self.expires_at.filter(|end| *end <= now);
        self.revoked_at.into_iter().chain(expired).min()
    }
}
