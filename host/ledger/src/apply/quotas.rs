//! Quotas: refused before anything changes, in the unit of the limit; and usage, counted as it comes.

use crate::limits::{CIRCUITS_OF_TENANT_MAX, PLUGINS_OF_TENANT_MAX};
use crate::quota::CORE_WINDOW_MS;
use crate::{Digest, Millis, PluginRecord, PluginState, QuotaItem, Refusal, State, TenantId};

// === impl State ===

impl State {
    /// Refuses a task that would pass one of its tenant's quotas.
    pub(super) fn check_task_quotas(
        &self,
        tenant: &TenantId,
        input_bytes: u64,
        now: Millis,
    ) -> Result<(), Refusal> {
        let quotas = self.tenant(tenant).quotas;
        let (tasks, bytes) = self.live_of(tenant);
        let item =
            |item, limit: Option<u64>, used, asked| quota(tenant, item, limit, used, asked, 0);
        item(QuotaItem::LiveTasks, quotas.live_tasks, tasks, 1)?;
        item(
            QuotaItem::QueuedBytes,
            quotas.queued_bytes,
            bytes,
            input_bytes,
        )?;
        let used = self.usage(tenant).within(now) / 1000;
        let next = CORE_WINDOW_MS - now % CORE_WINDOW_MS;
        let limit = quotas.core_seconds;
        quota(tenant, QuotaItem::CoreSeconds, limit, used, 1, next)
    }

    /// Refuses a component, known or not, that would pass its tenant's share of plugins or of bytes.
    /// Returns the plugins that have to make room for it.
    pub(super) fn check_plugin_room(
        &self,
        known: Option<&PluginRecord>,
        bytes: u64,
        tenant: &TenantId,
    ) -> Result<Vec<Digest>, Refusal> {
        let held = known.is_some_and(|plugin| plugin.holders.contains_key(tenant));
        let idle = match held {
            true => Vec::new(),
            false => self.check_plugin_share(tenant)?,
        };
        // What is retired takes no room until it is brought back.
        if !held || known.is_some_and(PluginRecord::is_retired) {
            let bytes = known.map_or(bytes, |plugin| plugin.bytes);
            self.check_stored_quota(tenant, bytes)?;
        }
        Ok(idle)
    }

    /// Refuses a plugin more than one tenant may have. Returns those of its plugins that have to make
    /// room, because nothing depends on them: rejected ones, and retired ones without a circuit.
    fn check_plugin_share(&self, tenant: &TenantId) -> Result<Vec<Digest>, Refusal> {
        let used = self.held(tenant).count() as u64;
        if used < PLUGINS_OF_TENANT_MAX {
            return Ok(Vec::new());
        }
        let is_idle = |plugin: &&PluginRecord| match plugin.state {
            PluginState::Rejected(_) => true,
            PluginState::Retired { .. } => !self.has_circuits(&plugin.component),
            PluginState::Inspecting | PluginState::Ready => false,
        };
        let idle = self.held(tenant).filter(is_idle);
        let idle: Vec<Digest> = idle.map(|plugin| plugin.component).collect();
        let used = used.saturating_sub(idle.len() as u64);
        let (item, limit) = (QuotaItem::Plugins, Some(PLUGINS_OF_TENANT_MAX));
        quota(tenant, item, limit, used, 1, 0)?;
        Ok(idle)
    }

    /// Refuses a circuit more than one tenant may have registered.
    pub(super) fn check_circuit_share(&self, tenant: &TenantId) -> Result<(), Refusal> {
        let (item, limit) = (QuotaItem::Circuits, Some(CIRCUITS_OF_TENANT_MAX));
        quota(tenant, item, limit, self.circuits_of(tenant), 1, 0)
    }

    /// Refuses a component that would pass its tenant's quota of bytes.
    fn check_stored_quota(&self, tenant: &TenantId, bytes: u64) -> Result<(), Refusal> {
        let Some(limit) = self.tenant(tenant).quotas.stored_bytes else {
            return Ok(());
        };
        let used = self.stored_bytes_of(tenant);
        quota(tenant, QuotaItem::StoredBytes, Some(limit), used, bytes, 0)
    }
}

fn quota(
    tenant: &TenantId,
    item: QuotaItem,
    limit: Option<u64>,
    used: u64,
    asked: u64,
    retry_ms: Millis,
) -> Result<(), Refusal> {
    match limit {
        Some(limit) if used.saturating_add(asked) > limit => Err(Refusal::Quota {
            tenant: tenant.clone(),
            item,
            used,
            asked,
            limit,
            retry_ms,
        }),
        _ => Ok(()),
    }
}
