//! Subscriptions and what is on its way to them, with the orders that delivering and forgetting need.
//!
//! The facts are replicated; the orders are computed from them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits::DELIVERIES_KEPT;
use crate::{
    Delivery, DeliveryState, Millis, PendingEvent, State, TaskId, TenantId, WebhookId,
    WebhookRecord,
};

/// What is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutboxFacts {
    /// Subscriptions by id.
    pub(crate) webhooks: BTreeMap<WebhookId, WebhookRecord>,
    /// Deliveries by subscription and task; the settled ones only while they are the newest.
    pub(crate) deliveries: BTreeMap<WebhookId, BTreeMap<TaskId, Delivery>>,
}

/// The deliveries of one subscription in the orders they are asked for in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lane {
    /// Pending, the oldest first.
    pending: BTreeSet<(Millis, TaskId)>,
    /// Settled, by their end.
    settled: BTreeSet<(Millis, TaskId)>,
}

/// The orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OutboxIndex {
    lanes: BTreeMap<WebhookId, Lane>,
    pending: u64,
    /// Events that were queued since this index was made. Only whether it changed says something.
    queued: u64,
    by_tenant: BTreeMap<TenantId, BTreeSet<WebhookId>>,
}

// === impl OutboxIndex ===

impl OutboxIndex {
    pub(super) fn of(facts: &OutboxFacts) -> Self {
        let mut index = Self::default();
        for record in facts.webhooks.values() {
            index.subscribe(record);
        }
        for (webhook, deliveries) in &facts.deliveries {
            for (task, delivery) in deliveries {
                index.insert(*webhook, *task, delivery);
            }
        }
        index
    }

    fn subscribe(&mut self, record: &WebhookRecord) {
        let of_tenant = self.by_tenant.entry(record.tenant.clone()).or_default();
        of_tenant.insert(record.id);
    }

    fn unsubscribe(&mut self, record: &WebhookRecord) {
        if let Some(lane) = self.lanes.remove(&record.id) {
            self.pending -= lane.pending.len() as u64;
        }
        if let Some(of_tenant) = self.by_tenant.get_mut(&record.tenant) {
            of_tenant.remove(&record.id);
            if of_tenant.is_empty() {
                self.by_tenant.remove(&record.tenant);
            }
        }
    }

    fn insert(&mut self, webhook: WebhookId, task: TaskId, delivery: &Delivery) {
        let lane = self.lanes.entry(webhook).or_default();
        match delivery.state {
            DeliveryState::Pending => {
                let fresh = u64::from(lane.pending.insert((delivery.since, task)));
                self.pending += fresh;
                self.queued = self.queued.wrapping_add(fresh);
            }
            DeliveryState::Settled { at, .. } => {
                lane.settled.insert((at, task));
            }
        }
    }

    fn remove(&mut self, webhook: WebhookId, task: TaskId, delivery: &Delivery) {
        let Some(lane) = self.lanes.get_mut(&webhook) else {
            return;
        };
        match delivery.state {
            DeliveryState::Pending => {
                self.pending -= u64::from(lane.pending.remove(&(delivery.since, task)));
            }
            DeliveryState::Settled { at, .. } => {
                lane.settled.remove(&(at, task));
            }
        }
    }
}

// === impl State ===

impl State {
    /// Returns a subscription.
    pub fn webhook(&self, id: &WebhookId) -> Option<&WebhookRecord> {
        self.facts.outbox.webhooks.get(id)
    }

    /// Returns a tenant's subscriptions, in the order of their ids.
    pub fn webhooks_of(&self, tenant: &TenantId) -> impl Iterator<Item = &WebhookRecord> {
        let ids = self.outbox.by_tenant.get(tenant).into_iter().flatten();
        ids.filter_map(|id| self.webhook(id))
    }

    /// Returns how many subscriptions there are.
    pub fn webhook_count(&self) -> u64 {
        self.facts.outbox.webhooks.len() as u64
    }

    /// Returns a delivery.
    pub fn delivery(&self, webhook: &WebhookId, task: &TaskId) -> Option<&Delivery> {
        self.facts.outbox.deliveries.get(webhook)?.get(task)
    }

    /// Returns a subscription's deliveries: the pending ones, oldest first, then the settled ones,
    /// newest first.
    pub fn deliveries_of(&self, webhook: &WebhookId) -> impl Iterator<Item = (TaskId, &Delivery)> {
        let lane = self.outbox.lanes.get(webhook);
        let pending = lane.into_iter().flat_map(|lane| lane.pending.iter());
        let settled = lane.into_iter().flat_map(|lane| lane.settled.iter().rev());
        let order: Vec<TaskId> = pending.chain(settled).map(|(_, task)| *task).collect();
        order
            .into_iter()
            .filter_map(|task| Some((task, self.delivery(webhook, &task)?)))
    }

    /// Returns a number that changes whenever an event is queued.
    pub const fn queued_events(&self) -> u64 {
        self.outbox.queued
    }

    /// Returns the subscriptions that something is to be delivered to, each with the oldest `limit`
    /// of what it is. A suspended tenant's are not among them: what waits is held until it may act
    /// again.
    pub fn pending_events(
        &self,
        limit: usize,
    ) -> impl Iterator<Item = (&WebhookRecord, Vec<PendingEvent>)> {
        let waiting = self.outbox.lanes.iter();
        let waiting = waiting.filter(|(_, lane)| !lane.pending.is_empty());
        waiting.filter_map(move |(id, lane)| {
            let webhook = self.webhook(id)?;
            if self.tenant(&webhook.tenant).suspended {
                return None;
            }
            let oldest = lane.pending.iter().take(limit);
            let events = oldest.map(|&(since, task)| PendingEvent { task, since });
            Some((webhook, events.collect()))
        })
    }

    /// Returns how many events are to be delivered.
    pub const fn pending_count(&self) -> u64 {
        self.outbox.pending
    }

    /// Returns how many of a subscription's events are to be delivered.
    pub fn pending_of(&self, webhook: &WebhookId) -> u64 {
        let lane = self.outbox.lanes.get(webhook);
        lane.map_or(0, |lane| lane.pending.len() as u64)
    }

    pub(crate) fn insert_webhook(&mut self, record: WebhookRecord) {
        self.outbox.subscribe(&record);
        self.facts.outbox.webhooks.insert(record.id, record);
    }

    pub(crate) fn remove_webhook(&mut self, id: &WebhookId) {
        self.facts.outbox.deliveries.remove(id);
        if let Some(record) = self.facts.outbox.webhooks.remove(id) {
            self.outbox.unsubscribe(&record);
        }
    }

    /// Notes that an event of a subscription could not be queued.
    pub(crate) fn miss_event(&mut self, webhook: &WebhookId) {
        if let Some(record) = self.facts.outbox.webhooks.get_mut(webhook) {
            record.missed = record.missed.saturating_add(1);
        }
    }

    /// Writes a delivery down in place of an earlier one; of the settled ones the newest stay.
    pub(crate) fn put_delivery(&mut self, webhook: WebhookId, task: TaskId, delivery: Delivery) {
        let deliveries = self.facts.outbox.deliveries.entry(webhook).or_default();
        if let Some(earlier) = deliveries.get(&task) {
            self.outbox.remove(webhook, task, earlier);
        }
        self.outbox.insert(webhook, task, &delivery);
        deliveries.insert(task, delivery);
        let Some(lane) = self.outbox.lanes.get_mut(&webhook) else {
            return;
        };
        while lane.settled.len() > DELIVERIES_KEPT
            && let Some((_, oldest)) = lane.settled.pop_first()
        {
            deliveries.remove(&oldest);
        }
    }
}
