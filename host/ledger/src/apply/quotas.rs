//! Quotas: refused before anything changes, in the unit of the limit; and usage, counted as it comes.

use crate::quota::CORE_WINDOW_MS;
use crate::{Millis, QuotaItem, Refusal, State, TenantId};

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

    /// Refuses a component that would pass its tenant's quota of bytes.
    pub(super) fn check_stored_quota(&self, tenant: &TenantId, bytes: u64) -> Result<(), Refusal> {
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
