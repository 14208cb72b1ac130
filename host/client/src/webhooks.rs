//! Webhooks: who is told of the ends of tasks.

use std::time::Duration;

use aureole_api::rest::{
    Delivery, DeliveryList, Webhook, WebhookList, WebhookRequest, WebhookTest,
};
use reqwest::Method;

use crate::{
    Client, Error,
    client::{IDEMPOTENCY_KEY, path},
    retry::Twice,
};

// === impl Client ===

impl Client {
    /// Makes a webhook; its secret is in this answer only.
    ///
    /// # Errors
    /// [`Error::Problem`] with `webhook.url_denied` when the URL may not be called; see [`Error`]
    /// for the rest. So with every call.
    pub async fn create_webhook(&self, request: &WebhookRequest) -> Result<Webhook, Error> {
        let mut sent = self.http.request(Method::POST, &path(&["webhooks"]));
        let key = self.fresh_key()?;
        let twice = match &key {
            Some(key) => {
                sent = sent.header(IDEMPOTENCY_KEY, key);
                Twice::Same
            }
            None => Twice::Differs,
        };
        let answer = self.http.send(sent.json(request), Duration::ZERO, twice);
        answer.await?.document()
    }

    /// Every webhook.
    pub async fn webhooks(&self) -> Result<WebhookList, Error> {
        self.http
            .get(&path(&["webhooks"]), &[], Duration::ZERO)
            .await
    }

    /// One webhook.
    pub async fn webhook(&self, id: &str) -> Result<Webhook, Error> {
        self.http
            .get(&path(&["webhooks", id]), &[], Duration::ZERO)
            .await
    }

    /// Ends a webhook, and what was to be delivered to it. Made once: a second would not find it.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), Error> {
        let request = self.http.request(Method::DELETE, &path(&["webhooks", id]));
        let answer = self.http.send(request, Duration::ZERO, Twice::Differs);
        answer.await?.raw().map(drop)
    }

    /// Sends a test event now and says what came of it.
    pub async fn test_webhook(&self, id: &str) -> Result<WebhookTest, Error> {
        let request = self
            .http
            .request(Method::POST, &path(&["webhooks", id, "test"]));
        let answer = self.http.send(request, Duration::ZERO, Twice::Differs);
        answer.await?.document()
    }

    /// What is to be delivered to a webhook, and what came of the rest.
    pub async fn deliveries(&self, id: &str) -> Result<DeliveryList, Error> {
        let path = path(&["webhooks", id, "deliveries"]);
        self.http.get(&path, &[], Duration::ZERO).await
    }

    /// Delivers the end of a task again.
    pub async fn replay(&self, id: &str, task: &str) -> Result<Delivery, Error> {
        let path = path(&["webhooks", id, "deliveries", task, "replay"]);
        let request = self.http.request(Method::POST, &path);
        // Twice is once while it waits, and an event that arrives twice has one id.
        let answer = self.http.send(request, Duration::ZERO, Twice::Same);
        answer.await?.document()
    }
}
