//! Webhooks: subscribing, queueing what is to be told, settling and replaying it.

use super::{Step, within};
use crate::limits::{
    PENDING_EVENTS_MAX, PENDING_EVENTS_OF_WEBHOOK_MAX, WEBHOOK_URL_BYTES_MAX, WEBHOOKS_MAX,
    WEBHOOKS_OF_TENANT_MAX,
};
use crate::{
    Delivery, DeliveryState, EventKind, Millis, Outcome, Refusal, Settlement, State, TaskId,
    TaskKind, TaskRecord, TenantId, WebhookId, WebhookRecord,
};

// === impl State ===

impl State {
    pub(super) fn create_webhook(&mut self, record: &WebhookRecord) -> Step {
        if let Some(known) = self.webhook(&record.id) {
            let same = known.tenant == record.tenant
                && known.url == record.url
                && known.events == record.events
                && known.public_inputs == record.public_inputs;
            return match same {
                true => Ok(Outcome::WebhookCreated),
                false => Err(Refusal::WebhookExists(record.id)),
            };
        }
        let of_tenant = self.webhooks_of(&record.tenant).count() as u64;
        within(
            "webhooks of a tenant",
            of_tenant + 1,
            WEBHOOKS_OF_TENANT_MAX,
        )?;
        within("webhooks", self.webhook_count() + 1, WEBHOOKS_MAX)?;
        let bytes = record.url.len() as u64;
        within("bytes of a webhook's URL", bytes, WEBHOOK_URL_BYTES_MAX)?;
        if record.events.is_empty() {
            return Err(Refusal::NoEvents(record.id));
        }
        self.insert_webhook(WebhookRecord {
            missed: 0,
            ..record.clone()
        });
        Ok(Outcome::WebhookCreated)
    }

    pub(super) fn delete_webhook(&mut self, id: &WebhookId, tenant: &TenantId) -> Step {
        self.check_webhook(id, tenant)?;
        self.remove_webhook(id);
        Ok(Outcome::WebhookDeleted)
    }

    /// A delivery that was settled before stays as it is: the receiver heard of it, or another
    /// leader gave it up.
    pub(super) fn settle_delivery(
        &mut self,
        webhook: &WebhookId,
        task: &TaskId,
        settlement: Settlement,
        attempts: u32,
        now: Millis,
    ) -> Step {
        let unknown = || Refusal::UnknownDelivery {
            webhook: *webhook,
            task: *task,
        };
        let delivery = self.delivery(webhook, task).ok_or_else(unknown)?;
        if delivery.is_pending() {
            let settled = Delivery {
                state: DeliveryState::Settled {
                    at: now,
                    settlement,
                    attempts,
                },
                ..delivery.clone()
            };
            self.put_delivery(*webhook, *task, settled);
        }
        Ok(Outcome::DeliverySettled)
    }

    /// Queues an event again, also one whose delivery is no longer remembered while its task is.
    pub(super) fn replay_delivery(
        &mut self,
        webhook: &WebhookId,
        tenant: &TenantId,
        task: &TaskId,
        now: Millis,
    ) -> Step {
        self.check_webhook(webhook, tenant)?;
        let known = self.delivery(webhook, task).cloned();
        if known.as_ref().is_some_and(Delivery::is_pending) {
            return Ok(Outcome::DeliveryReplayed);
        }
        let of_task = || {
            let task = self.task(task)?;
            (task.tenant == *tenant).then_some(event_of(task)?)
        };
        let event = known.map(|known| known.event).or_else(of_task);
        let event = event.ok_or(Refusal::UnknownDelivery {
            webhook: *webhook,
            task: *task,
        })?;
        let waiting = self.pending_of(webhook) + 1;
        within("pending events", waiting, PENDING_EVENTS_OF_WEBHOOK_MAX)?;
        within(
            "pending events",
            self.pending_count() + 1,
            PENDING_EVENTS_MAX,
        )?;
        self.put_delivery(*webhook, *task, pending(event, now));
        Ok(Outcome::DeliveryReplayed)
    }

    /// Queues the end of a task for everybody who wants to hear of it. Whoever has too much waiting
    /// misses it, and shows so.
    pub(super) fn announce(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.task(id) else { return };
        let Some(event) = event_of(task) else { return };
        let wanted = self.webhooks_of(&task.tenant);
        let wanted = wanted.filter(|webhook| webhook.events.contains(event));
        let wanted: Vec<WebhookId> = wanted.map(|webhook| webhook.id).collect();
        for webhook in wanted {
            if self.pending_of(&webhook) < PENDING_EVENTS_OF_WEBHOOK_MAX
                && self.pending_count() < PENDING_EVENTS_MAX
            {
                self.put_delivery(webhook, *id, pending(event, now));
            } else {
                self.miss_event(&webhook);
            }
        }
    }

    fn check_webhook(&self, id: &WebhookId, tenant: &TenantId) -> Result<(), Refusal> {
        // Another tenant's is as unknown as none.
        match self.webhook(id) {
            Some(record) if record.tenant == *tenant => Ok(()),
            _ => Err(Refusal::UnknownWebhook(*id)),
        }
    }
}

const fn pending(event: EventKind, since: Millis) -> Delivery {
    Delivery {
        event,
        since,
        state: DeliveryState::Pending,
    }
}

/// What the end of a task is to those outside: only proofs were asked for by somebody.
const fn event_of(task: &TaskRecord) -> Option<EventKind> {
    match task.kind {
        TaskKind::Prove { .. } => EventKind::of(task.phase()),
        TaskKind::InspectPlugin { .. } | TaskKind::PrepareCircuit { .. } => None,
    }
}
