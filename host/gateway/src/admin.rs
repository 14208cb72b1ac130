//! What an administrator asks of a platform, and what it answers.

use aureole_api::rest;
use aureole_ledger::{KeyId, Millis, TenantId};
use serde::{Deserialize, Serialize};

use crate::KeyHash;

/// One act, or one look.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Administration {
    /// Shows every tenant.
    Tenants,
    /// Shows one.
    Tenant(TenantId),
    /// Makes or changes one.
    PutTenant {
        /// Which.
        tenant: TenantId,
        /// How.
        change: rest::TenantRequest,
    },
    /// Shows what one has used and has.
    Usage(TenantId),
    /// Shows keys: of one tenant, or all.
    Keys {
        /// Whose.
        tenant: Option<TenantId>,
    },
    /// Makes a key. The same key made again answers as before.
    CreateKey {
        /// What is kept of it.
        key: KeyHash,
        /// Whose it is.
        tenant: TenantId,
        /// What it lets its holder do.
        role: rest::Role,
        /// What it is for.
        label: String,
        /// From when on it opens nothing.
        expires_at: Option<Millis>,
    },
    /// Makes a key open nothing more.
    RevokeKey(KeyId),
    /// Shows acts, newest first: of every tenant to an administrator, else of the caller's.
    Audit {
        /// Only those before this number.
        before: Option<u64>,
        /// How many at most.
        limit: u32,
    },
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Administered {
    /// Every tenant.
    Tenants(rest::TenantList),
    /// The tenant as it is now.
    Tenant(rest::Tenant),
    /// What it has used and has.
    Usage(rest::Usage),
    /// Keys.
    Keys(rest::KeyList),
    /// The key as it is now.
    Key(rest::Key),
    /// The newest acts.
    Audit(rest::AuditTrail),
}
