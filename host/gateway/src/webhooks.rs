//! The verbs of webhooks, a part of [`Platform`](crate::Platform).

use async_trait::async_trait;
use aureole_api::{
    Problem,
    rest::{Delivery, DeliveryList, EventKind, Webhook, WebhookList, WebhookTest},
};
use aureole_ledger::{TaskId, WebhookId};
use serde::{Deserialize, Serialize};

use crate::Caller;

/// Who is told of the ends of tasks. The obligations are those of [`Platform`](crate::Platform).
#[async_trait]
pub trait Webhooks: Send + Sync + 'static {
    /// Makes a webhook; its secret is in this answer only. The same key with the same request gives
    /// the same webhook. A URL that may not be called is `webhook.url_denied`.
    async fn create_webhook(
        &self,
        caller: &Caller,
        request: NewWebhook,
    ) -> Result<Webhook, Problem>;

    /// The tenant's webhooks.
    async fn webhooks(&self, caller: &Caller) -> Result<WebhookList, Problem>;

    /// One webhook.
    async fn webhook(&self, caller: &Caller, webhook: WebhookId) -> Result<Webhook, Problem>;

    /// Ends a webhook, and what was to be delivered to it.
    async fn delete_webhook(&self, caller: &Caller, webhook: WebhookId) -> Result<(), Problem>;

    /// Sends a test event now, once. That it did not arrive is an answer, not a problem.
    async fn test_webhook(
        &self,
        caller: &Caller,
        webhook: WebhookId,
    ) -> Result<WebhookTest, Problem>;

    /// What is to be delivered to a webhook, and what came of the rest.
    async fn deliveries(
        &self,
        caller: &Caller,
        webhook: WebhookId,
    ) -> Result<DeliveryList, Problem>;

    /// Delivers the end of a task again; one that waits is tried at once.
    async fn replay(
        &self,
        caller: &Caller,
        webhook: WebhookId,
        task: TaskId,
    ) -> Result<Delivery, Problem>;
}

/// A webhook to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWebhook {
    /// Where events are sent to; not checked yet.
    pub url: String,
    /// Which; at least one.
    pub events: Vec<EventKind>,
    /// Whether an event holds the public inputs.
    pub public_inputs: bool,
    /// The caller's key: see [`Submission::idempotency_key`](crate::Submission).
    pub idempotency_key: Option<String>,
}
