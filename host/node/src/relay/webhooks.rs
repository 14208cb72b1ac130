//! The verbs of webhooks, for here and for the wire.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Caller, NewWebhook, Webhooks};
use aureole_ledger::{TaskId, WebhookId};
use aureole_webhooks::limits::{ANSWER_END_MAX, ATTEMPT_MAX};
use futures::FutureExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Relay;
use super::call::Call;
use super::patience::Pace;
use crate::desk::Desk;
use crate::ids;

/// How long a stranger may keep a verb waiting: an attempt, and the end of its answer.
const STRANGER_WAIT: Duration = ATTEMPT_MAX.saturating_add(ANSWER_END_MAX);

/// A verb of webhooks with its arguments.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookCall {
    Create {
        /// Fixed before the first try: whoever does it again does the same.
        fresh: WebhookId,
        request: NewWebhook,
    },
    List,
    Show {
        webhook: WebhookId,
    },
    Delete {
        webhook: WebhookId,
    },
    Test {
        webhook: WebhookId,
    },
    Deliveries {
        webhook: WebhookId,
    },
    Replay {
        webhook: WebhookId,
        task: TaskId,
    },
}

#[async_trait]
impl Webhooks for Relay {
    async fn create_webhook(
        &self,
        caller: &Caller,
        request: NewWebhook,
    ) -> Result<rest::Webhook, Problem> {
        let fresh = ids::random().map(WebhookId::from_bytes).map_err(|error| {
            tracing::error!(%error, "no randomness for an id");
            Problem::new(codes::node::INTERNAL, "no randomness for an id")
        })?;
        self.hooked(caller, WebhookCall::Create { fresh, request })
            .await
    }

    async fn webhooks(&self, caller: &Caller) -> Result<rest::WebhookList, Problem> {
        self.hooked(caller, WebhookCall::List).await
    }

    async fn webhook(&self, caller: &Caller, webhook: WebhookId) -> Result<rest::Webhook, Problem> {
        self.hooked(caller, WebhookCall::Show { webhook }).await
    }

    async fn delete_webhook(&self, caller: &Caller, webhook: WebhookId) -> Result<(), Problem> {
        self.hooked(caller, WebhookCall::Delete { webhook }).await
    }

    async fn test_webhook(
        &self,
        caller: &Caller,
        webhook: WebhookId,
    ) -> Result<rest::WebhookTest, Problem> {
        self.hooked(caller, WebhookCall::Test { webhook }).await
    }

    async fn deliveries(
        &self,
        caller: &Caller,
        webhook: WebhookId,
    ) -> Result<rest::DeliveryList, Problem> {
        self.hooked(caller, WebhookCall::Deliveries { webhook })
            .await
    }

    async fn replay(
        &self,
        caller: &Caller,
        webhook: WebhookId,
        task: TaskId,
    ) -> Result<rest::Delivery, Problem> {
        self.hooked(caller, WebhookCall::Replay { webhook, task })
            .await
    }
}

// === impl Relay ===

impl Relay {
    /// Does a verb at the leader, in the one form that the wire has too.
    async fn hooked<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        call: WebhookCall,
    ) -> Result<T, Problem> {
        let pace = match call {
            // A name is looked up, a stranger may be asked.
            WebhookCall::Create { .. } | WebhookCall::Test { .. } => Pace::Waiting(STRANGER_WAIT),
            _ => Pace::Prompt,
        };
        let document: Value = self
            .ask(
                Some(caller),
                pace,
                || Call::Webhooks(call.clone()),
                |desk| {
                    let (caller, call) = (caller.clone(), call.clone());
                    async move { perform(&desk, &caller, call).await }.boxed()
                },
            )
            .await?;
        serde_json::from_value(document).map_err(|error| unwritten(&error))
    }
}

/// Does a verb at this desk.
pub(super) async fn perform(
    desk: &Arc<Desk>,
    caller: &Caller,
    call: WebhookCall,
) -> Result<Value, Problem> {
    match call {
        WebhookCall::Create { fresh, request } => {
            written(&desk.create_webhook(caller, fresh, request).await?)
        }
        WebhookCall::List => written(&desk.list_webhooks(caller)),
        WebhookCall::Show { webhook } => written(&desk.show_webhook(caller, webhook)?),
        WebhookCall::Delete { webhook } => written(&desk.delete_webhook(caller, webhook).await?),
        WebhookCall::Test { webhook } => written(&desk.test_webhook(caller, webhook).await?),
        WebhookCall::Deliveries { webhook } => written(&desk.list_deliveries(caller, webhook)?),
        WebhookCall::Replay { webhook, task } => {
            written(&desk.replay_delivery(caller, webhook, task).await?)
        }
    }
}

fn written(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(|error| unwritten(&error))
}

fn unwritten(error: &serde_json::Error) -> Problem {
    tracing::error!(%error, "an answer cannot be written");
    Problem::new(codes::node::INTERNAL, "the answer cannot be written")
}
