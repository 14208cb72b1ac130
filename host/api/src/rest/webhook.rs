//! Webhooks on the wire: subscriptions, what is sent, what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Timestamp;

/// An end of a task that somebody wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum EventKind {
    /// A proof was made and verified.
    #[serde(rename = "task.done")]
    Done,
    /// A task ended without.
    #[serde(rename = "task.failed")]
    Failed,
    /// Somebody stopped a task.
    #[serde(rename = "task.cancelled")]
    Cancelled,
}

/// Asks for a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Where events are sent to, in at most 1024 bytes.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub url: String,
    /// Which, one at least; all of them unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub events: Option<Vec<EventKind>>,
    /// Whether an event holds the task's public inputs.
    #[serde(default)]
    pub public_inputs: bool,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Where events are sent to.
    pub url: String,
    /// Which.
    pub events: Vec<EventKind>,
    /// Whether an event holds the task's public inputs.
    pub public_inputs: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Events that are to be delivered.
    pub pending: u64,
    /// Events that were not even queued, because too many waited.
    pub missed: u64,
    /// What signatures are checked with, `whsec_...`. Only in the answer that made the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A tenant's webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookList {
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried until it is taken.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It was given up; a replay tries again.
    Dead,
}

/// An event on its way to a webhook, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// The event's `webhook-id`, the same over all attempts.
    pub id: String,
    /// The task.
    pub task: String,
    /// What happened.
    pub event: EventKind,
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when it is to be delivered.
    pub since: Timestamp,
    /// Attempts made, as far as the leader of the moment knows.
    pub attempts: u32,
    /// When it was delivered or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// Why the last attempt did not succeed: `unresolved`, `denied`, `connect`, `tls`, `timeout`,
    /// `answer`, `status`, `forgotten` or `unattempted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// When the last attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<Timestamp>,
    /// When the next one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
}

/// A webhook's deliveries: those that wait, oldest first, then the others, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliveryList {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Whether more wait than are shown.
    pub more: bool,
}

/// What came of a test event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookTest {
    /// Whether the receiver answered with a success.
    pub delivered: bool,
    /// Its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it did not succeed; see [`Delivery::last_failure`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What a receiver reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// `task.done`, `task.failed`, `task.cancelled`, or `test`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The task as the API shows it, without its proof's bytes, its error's detail and, unless asked
    /// for, its public inputs.
    pub data: Value,
}

// === impl EventKind ===

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Cancelled];

    /// The kind's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "task.done",
            Self::Failed => "task.failed",
            Self::Cancelled => "task.cancelled",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl DeliveryState ===

impl DeliveryState {
    /// The state's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
