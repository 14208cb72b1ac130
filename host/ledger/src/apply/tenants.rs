//! Tenants and keys: made, changed and revoked, each act on the trail.

use super::{Step, within};
use crate::audit::Act;
use crate::limits::{
    ACTOR_BYTES_MAX, KEY_KEPT_MS, KEYS_MAX, LABEL_BYTES_MAX, QUOTAS_DEFAULT, TENANTS_MAX,
    WEIGHT_MAX,
};
use crate::{KeyId, KeyRecord, Millis, Outcome, Quotas, Refusal, State, TenantId, TenantRecord};

/// What of a tenant is asked to be another.
pub(super) struct TenantChange<'a> {
    pub(super) id: &'a TenantId,
    pub(super) weight: Option<u32>,
    pub(super) quotas: Option<Quotas>,
    pub(super) suspended: Option<bool>,
}

// === impl State ===

impl State {
    pub(super) fn put_tenant(
        &mut self,
        change: &TenantChange<'_>,
        actor: &str,
        now: Millis,
    ) -> Step {
        let id = change.id;
        // Merged here and not by whoever asks: what is absent is as the change before left it.
        let before = match self.has_tenant(id) {
            true => self.tenant(id),
            false => TenantRecord {
                quotas: QUOTAS_DEFAULT,
                ..TenantRecord::default()
            },
        };
        let weight = change.weight.unwrap_or(before.weight);
        let quotas = change.quotas.unwrap_or(before.quotas);
        let suspended = change.suspended.unwrap_or(before.suspended);
        check_actor(actor)?;
        check_weight(weight)?;
        if suspended && *id == TenantId::default() {
            return Err(Refusal::DefaultTenant);
        }
        let known = self.facts().tenants.get(id);
        let created_at = known.map_or(now, |record| record.created_at);
        if known.is_none() {
            let count = self.facts().tenants.len() as u64 + 1;
            within("tenants", count, TENANTS_MAX)?;
        }
        let record = TenantRecord {
            weight,
            quotas,
            suspended,
            created_at,
        };
        if known == Some(&record) {
            return Ok(Outcome::TenantPut { created: false });
        }
        let created = known.is_none();
        let facts = self.facts_mut();
        facts.tenants.insert(id.clone(), record);
        let act = Act::TenantPut {
            weight,
            quotas,
            suspended,
        };
        facts.trail.add(now, actor, id.clone(), act);
        Ok(Outcome::TenantPut { created })
    }

    pub(super) fn create_key(&mut self, key: &KeyRecord, actor: &str) -> Step {
        check_actor(actor)?;
        let bytes = key.label.len() as u64;
        within("bytes of a key's label", bytes, LABEL_BYTES_MAX as u64)?;
        if let Some(known) = self.key(&key.id) {
            return if known == key {
                Ok(Outcome::KeyCreated)
            } else {
                Err(Refusal::KeyExists(key.id))
            };
        }
        if !self.has_tenant(&key.tenant) {
            return Err(Refusal::UnknownTenant(key.tenant.clone()));
        }
        let now = key.created_at;
        let kept = |known: &KeyRecord| {
            let ended = known.ended_at(now);
            ended.is_none_or(|ended| now.saturating_sub(ended) < KEY_KEPT_MS)
        };
        let live = self.keys().filter(|known| kept(known)).count() as u64;
        within("keys", live + 1, KEYS_MAX)?;
        let facts = self.facts_mut();
        facts.keys.retain(|_, known| kept(known));
        facts.keys.insert(key.id, key.clone());
        let act = Act::KeyCreated {
            key: key.id,
            role: key.role,
            expires_at: key.expires_at,
        };
        facts.trail.add(now, actor, key.tenant.clone(), act);
        Ok(Outcome::KeyCreated)
    }

    pub(super) fn revoke_key(&mut self, id: KeyId, actor: &str, now: Millis) -> Step {
        check_actor(actor)?;
        let facts = self.facts_mut();
        let key = facts.keys.get_mut(&id).ok_or(Refusal::UnknownKey(id))?;
        if key.revoked_at.is_none() {
            key.revoked_at = Some(now);
            let tenant = key.tenant.clone();
            facts
                .trail
                .add(now, actor, tenant, Act::KeyRevoked { key: id });
        }
        Ok(Outcome::KeyRevoked)
    }

    /// Refuses a tenant that may do nothing.
    pub(super) fn check_active(&self, tenant: &TenantId) -> Result<(), Refusal> {
        if self.tenant(tenant).suspended {
            return Err(Refusal::TenantSuspended(tenant.clone()));
        }
        Ok(())
    }
}

/// Refuses a weight that would stop a tenant, or everybody else.
pub(super) fn check_weight(weight: u32) -> Result<(), Refusal> {
    within("a tenant's weight", weight.into(), WEIGHT_MAX.into())?;
    if weight == 0 {
        return Err(Refusal::Limit {
            item: "a tenant's weight, at least 1,".to_owned(),
            value: 0,
            max: WEIGHT_MAX.into(),
        });
    }
    Ok(())
}

pub(super) fn check_actor(actor: &str) -> Result<(), Refusal> {
    within(
        "bytes of an actor's name",
        actor.len() as u64,
        ACTOR_BYTES_MAX as u64,
    )
}
