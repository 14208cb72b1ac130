//! The trail of administrative acts: who changed what about tenants, keys and plugins, and when.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::{AUDIT_KEPT, AUDIT_WAITING_MAX};
use crate::{Digest, KeyId, Millis, Quotas, Role, TenantId, Visibility};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place in the trail, from 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// Who: the public part of a key, or the subject of a token.
    pub actor: String,
    /// Whom it concerns.
    pub tenant: TenantId,
    /// What was done.
    pub act: Act,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// A tenant was made or changed.
    TenantPut {
        /// Its weight from then on.
        weight: u32,
        /// Its quotas from then on.
        quotas: Quotas,
        /// Whether it may do nothing.
        suspended: bool,
    },
    /// A key was made.
    KeyCreated {
        /// Which.
        key: KeyId,
        /// What it lets its holder do.
        role: Role,
        /// Until when.
        expires_at: Option<Millis>,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Which.
        key: KeyId,
    },
    /// A plugin was shared, published, or taken back.
    PluginShared {
        /// Which.
        component: Digest,
        /// With whom from then on.
        visibility: Visibility,
    },
    /// A plugin was taken out of use.
    PluginRetired {
        /// Which.
        component: Digest,
    },
}

/// The newest acts, as many as the ledger keeps, and those that no archive has yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trail {
    /// Acts so far.
    count: u64,
    /// The newest of them, oldest first.
    kept: VecDeque<AuditEntry>,
    /// Up to which number the archive has them.
    archived: u64,
}

// === impl Trail ===

impl Trail {
    pub(crate) fn add(&mut self, at: Millis, actor: &str, tenant: TenantId, act: Act) {
        self.count += 1;
        self.kept.push_back(AuditEntry {
            number: self.count,
            at,
            actor: actor.to_owned(),
            tenant,
            act,
        });
        self.trim();
    }

    /// Notes up to which number the archive has the acts.
    pub(crate) fn archive(&mut self, through: u64) {
        self.archived = self.archived.max(through.min(self.count));
        self.trim();
    }

    fn trim(&mut self) {
        let archived = self.archived;
        while let Some(oldest) = self.kept.front()
            && self.kept.len() > AUDIT_KEPT
            && (oldest.number <= archived || self.kept.len() > AUDIT_WAITING_MAX)
        {
            self.kept.pop_front();
        }
    }

    /// Returns the acts that no archive has, oldest first.
    pub(crate) fn unarchived(&self) -> impl Iterator<Item = &AuditEntry> {
        let archived = self.archived;
        self.kept
            .iter()
            .filter(move |entry| entry.number > archived)
    }

    /// Returns the acts that are kept, newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &AuditEntry> {
        self.kept.iter().rev()
    }
}

// === impl Act ===

impl Act {
    /// Returns the act's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TenantPut { .. } => "tenant_put",
            Self::KeyCreated { .. } => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::PluginShared { .. } => "plugin_shared",
            Self::PluginRetired { .. } => "plugin_retired",
        }
    }
}
