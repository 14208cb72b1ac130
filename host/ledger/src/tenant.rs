//! Who a task belongs to, and what share of the cluster that is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits::{TENANT_ID_BYTES_MAX, WEIGHT_DEFAULT};
use crate::{IdError, Millis, Quotas};

/// A tenant's name: `[a-z0-9-]{1,63}`. Whoever runs the cluster alone is `default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TenantId(String);

/// A tenant's share, in the virtual time of start-time fair queueing.
///
/// A tenant whose `finish` is not written down has used nothing since the virtual time it would start
/// at, so one in no debt may be dropped at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// See [`TenantRecord::weight`].
    pub weight: u32,
    /// Virtual time at which what was leased to it so far ends.
    pub finish: u64,
}

/// A tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// Its part of the cluster beside the others who have work: 1 to `WEIGHT_MAX`.
    pub weight: u32,
    /// What it may have.
    pub quotas: Quotas,
    /// Whether it may do nothing: its keys open nothing, and nothing new is accepted for it.
    pub suspended: bool,
    /// When it was made; 0 for one that was never written down.
    pub created_at: Millis,
}

// === impl TenantId ===

impl TenantId {
    /// Checks a name.
    ///
    /// # Errors
    /// [`IdError::Tenant`] unless it has 1 to 63 of the characters `a-z 0-9 -`.
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > TENANT_ID_BYTES_MAX || !name.bytes().all(allowed) {
            return Err(IdError::Tenant {
                max: u32::try_from(TENANT_ID_BYTES_MAX).unwrap_or(u32::MAX),
            });
        }
        Ok(Self(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

// === impl TenantRecord ===

impl Default for TenantRecord {
    fn default() -> Self {
        Self {
            weight: WEIGHT_DEFAULT,
            quotas: Quotas::default(),
            suspended: false,
            created_at: 0,
        }
    }
}
