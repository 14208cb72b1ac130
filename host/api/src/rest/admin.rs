//! Tenants, keys, quotas, usage and the trail on the wire.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Timestamp;
#[cfg(feature = "schema")]
use super::form;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the cluster.
    Admin,
    /// Publishes plugins, and uses them.
    Author,
    /// Uses plugins.
    Submitter,
    /// Reads what its tenant has and did.
    Auditor,
}

/// What a tenant may have; without a number there is no limit but the cluster's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Tasks that have not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_tasks: Option<u64>,
    /// Bytes of their inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_bytes: Option<u64>,
    /// Seconds of one core within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_seconds: Option<u64>,
    /// Bytes of components; retired plugins do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tenant {
    /// Its name.
    pub id: String,
    /// Its part of the cluster beside the others who have work; 100 is ordinary.
    pub weight: u32,
    /// What it may have.
    pub quotas: Quotas,
    /// Whether it may do nothing.
    pub suspended: bool,
    /// When it was made; absent for the default tenant while nobody has changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// Every tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TenantList {
    /// By name.
    pub tenants: Vec<Tenant>,
}

/// Makes or changes a tenant; what is absent stays as it is, and is ordinary for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TenantRequest {
    /// 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10_000)))]
    pub weight: Option<u32>,
    /// All of them at once: a limit that is not named is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Quotas>,
    /// Whether it may do nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

/// A key, without its secret, which nobody has but its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    /// Its public part.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// What it lets its holder do.
    pub role: Role,
    /// What it is for, in its maker's words.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Some keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyList {
    /// By their public parts.
    pub keys: Vec<Key>,
}

/// Makes a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// Whose; the tenant must be there.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = form::TENANT)))]
    pub tenant: String,
    /// What it lets its holder do.
    pub role: Role,
    /// What it is for: at most 128 bytes of plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 128), regex(pattern = form::PLAIN)))]
    pub label: Option<String>,
    /// From when on it opens nothing; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made. Its `Debug` form leaves the secret out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewKey {
    /// What is kept of it.
    pub key: Key,
    /// The key itself, shown this once.
    pub secret: String,
}

/// What a tenant has used and has, beside what it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// The tenant.
    pub tenant: String,
    /// Tasks that were accepted so far.
    pub tasks: u64,
    /// Proofs that were made so far.
    pub proofs: u64,
    /// Tasks that failed so far.
    pub failed: u64,
    /// Seconds of one core so far.
    pub core_seconds: u64,
    /// Bytes of inputs so far.
    pub input_bytes: u64,
    /// Seconds of one core within this hour.
    pub core_seconds_this_hour: u64,
    /// Tasks that have not ended.
    pub live_tasks: u64,
    /// Bytes of their inputs.
    pub queued_bytes: u64,
    /// Attempts that run now.
    pub running: u64,
    /// Plugins that it uploaded.
    pub plugins: u64,
    /// Bytes of their components.
    pub stored_bytes: u64,
    /// What it may have.
    pub quotas: Quotas,
}

/// Who a caller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Me {
    /// The tenant.
    pub tenant: String,
    /// What the caller may do.
    pub role: Role,
    /// The public part of the key, or the subject of the token.
    pub credential: String,
    /// What the tenant has used and has.
    pub usage: Usage,
}

/// Who may use a plugin beside those who uploaded it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "visibility", deny_unknown_fields)]
pub enum Sharing {
    /// Nobody.
    #[default]
    Private,
    /// The tenants that are named, at most 32.
    Shared {
        /// Their names.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 32), inner(regex(pattern = form::TENANT))))]
        with: Vec<String>,
    },
    /// Everybody.
    Public,
}

/// One administrative act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// Its place in the trail.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: the public part of a key, or the subject of a token.
    pub actor: String,
    /// Whom it concerns.
    pub tenant: String,
    /// What was done: `tenant_put`, `key_created`, `key_revoked`, `plugin_shared` or
    /// `plugin_retired`.
    pub act: String,
    /// To what: a key's public part or a plugin's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How, in words.
    pub detail: String,
}

/// A page of the trail of administrative acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditTrail {
    /// Newest first.
    pub acts: Vec<AuditEntry>,
    /// Where the next page begins: its `before`. Absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// [`Sharing`] as it comes. By itself serde takes any further field beside a variant that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    visibility: Visibility,
    #[serde(default)]
    with: Option<Vec<String>>,
}

/// The variants of [`Sharing`].
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Visibility {
    Private,
    Shared,
    Public,
}

// === impl Sharing ===

impl<'de> Deserialize<'de> for Sharing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Shared::deserialize(deserializer)?;
        match (read.visibility, read.with) {
            (Visibility::Private, None) => Ok(Self::Private),
            (Visibility::Public, None) => Ok(Self::Public),
            (Visibility::Shared, Some(with)) => Ok(Self::Shared { with }),
            (Visibility::Shared, None) => Err(D::Error::missing_field("with")),
            (_, Some(_)) => Err(D::Error::unknown_field("with", &["visibility"])),
        }
    }
}

// === impl Role ===

impl Role {
    /// The role's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Author => "author",
            Self::Submitter => "submitter",
            Self::Auditor => "auditor",
        }
    }
}

// === impl NewKey ===

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
