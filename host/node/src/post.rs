//! The post office: what the ledger wants told, as the courier takes it.
//!
//! Only the leader delivers. An event is made from the task's record each time it is sent, so nothing
//! of it is stored twice; it names what became of the task and never holds an input.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use aureole_api::rest::{self, Timestamp};
use aureole_coordinator::{Coordinator, Event};
use aureole_ledger::{Command, Digest, Millis, Outcome, Refusal, Settlement, TaskId, WebhookId};
use aureole_webhooks::{Courier, Endpoint, Outbox, Parcel, Unsent, limits};
use serde_json::{Map, Value};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Separates the ids of events from every other use of SHA-256 here.
const EVENT_DOMAIN: &[u8] = b"aureole webhook event v1";

/// What of a task an event holds. An error's detail may quote what failed, so only its code is told.
const TOLD: [&str; 10] = [
    "id",
    "state",
    "plugin",
    "circuit",
    "priority",
    "submitted_at",
    "deadline",
    "finished_at",
    "timings_ms",
    "proof",
];

/// The ledger's events, for the courier.
pub(crate) struct PostOffice {
    coordinator: Coordinator,
    /// The desk has the courier, which has this.
    desk: Weak<Desk>,
}

// === impl PostOffice ===

impl PostOffice {
    pub(crate) fn new(coordinator: Coordinator, desk: &Arc<Desk>) -> Self {
        Self {
            coordinator,
            desk: Arc::downgrade(desk),
        }
    }
}

#[async_trait]
impl Outbox for PostOffice {
    fn pending(&self) -> Option<Vec<Endpoint>> {
        let endpoints = |state: &aureole_ledger::State| {
            let pending = state.pending_events(limits::LOOKAHEAD);
            let endpoint = |(record, events): (&aureole_ledger::WebhookRecord, _)| Endpoint {
                webhook: record.id,
                url: record.url.clone(),
                events,
            };
            pending.map(endpoint).collect()
        };
        let leads = self.coordinator.is_leading();
        leads.then(|| self.coordinator.read(endpoints))
    }

    async fn parcel(&self, webhook: WebhookId, task: TaskId) -> Result<Parcel, Unsent> {
        let closing = || Unsent::Later("the node is stopping".to_owned());
        let desk = self.desk.upgrade().ok_or_else(closing)?;
        let public_inputs = self
            .coordinator
            .read(|state| Some(state.webhook(&webhook)?.public_inputs))
            .ok_or(Unsent::Forgotten)?;
        let view = desk.ended_task(task).await.map_err(|problem| {
            if problem.is(aureole_api::codes::task::UNKNOWN) {
                Unsent::Forgotten
            } else {
                Unsent::Later(problem.to_string())
            }
        })?;
        let event = event_of(&view, public_inputs);
        let event = event.ok_or_else(|| Unsent::Later("the task has not ended".to_owned()))?;
        let body = serde_json::to_vec(&event).map_err(|error| Unsent::Later(error.to_string()))?;
        Ok(Parcel {
            id: event_id(&webhook, &task),
            body: body.into(),
            key: desk.signing_key(&webhook),
        })
    }

    async fn settle(
        &self,
        webhook: WebhookId,
        task: TaskId,
        settlement: Settlement,
        attempts: u32,
    ) -> Result<(), String> {
        let command = Command::SettleDelivery {
            webhook,
            task,
            settlement,
            attempts,
            now: self.coordinator.now(),
        };
        match self.coordinator.propose(command).await {
            // Gone with its webhook: nobody waits for it.
            Ok(Outcome::DeliverySettled | Outcome::Refused(Refusal::UnknownDelivery { .. })) => {
                Ok(())
            }
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn now(&self) -> Millis {
        self.coordinator.now()
    }
}

/// Delivers until told to stop.
pub(crate) async fn run(coordinator: Coordinator, courier: Courier, stop: CancellationToken) {
    let delivering = courier.run(stop.clone());
    let queued = || coordinator.read(aureole_ledger::State::queued_events);
    let hinting = hint(coordinator.subscribe(), queued, || courier.wake());
    tokio::select! {
        () = delivering => {}
        () = hinting => {}
    }
}

/// Wakes the courier when an event was queued, and not for what only waits: with one receiver that is
/// away something always does. Hints come at most every [`limits::HINTS_APART`].
async fn hint(mut changes: Receiver<Event>, queued: impl Fn() -> u64, wake: impl Fn()) {
    let mut known = None;
    loop {
        let now = queued();
        if known.replace(now) != Some(now) {
            wake();
            tokio::time::sleep(limits::HINTS_APART).await;
        }
        match changes.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            // The courier looks by itself, too.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// The name of an event over all attempts: a receiver that has had it ignores it.
pub(crate) fn event_id(webhook: &WebhookId, task: &TaskId) -> String {
    let digest = Digest::of(&[EVENT_DOMAIN, webhook.as_bytes(), task.as_bytes()].concat());
    let digits = digest.to_string();
    format!("evt_{}", digits.get(..32).unwrap_or(&digits))
}

/// What a receiver reads of a task's end; `None` while it has not ended.
pub(crate) fn event_of(task: &rest::Task, public_inputs: bool) -> Option<rest::Event> {
    let kind = match task.state {
        rest::TaskState::Done => rest::EventKind::Done,
        rest::TaskState::Failed => rest::EventKind::Failed,
        rest::TaskState::Cancelled => rest::EventKind::Cancelled,
        rest::TaskState::Queued | rest::TaskState::Running => return None,
    };
    let Ok(Value::Object(mut whole)) = serde_json::to_value(task) else {
        return None;
    };
    let mut data = Map::new();
    for name in TOLD {
        data.extend(whole.remove(name).map(|value| (name.to_owned(), value)));
    }
    if let Some(proof) = data.get_mut("proof").and_then(Value::as_object_mut) {
        proof.remove("base64");
    }
    if public_inputs {
        let told = whole.remove("public_inputs");
        data.extend(told.map(|value| ("public_inputs".to_owned(), value)));
    }
    if let Some(problem) = &task.error {
        let error = serde_json::json!({"code": problem.code(), "status": problem.status()});
        data.insert("error".to_owned(), error);
    }
    let url = format!("/api/v1/tasks/{}", task.id);
    data.insert("url".to_owned(), Value::String(url));
    Some(rest::Event {
        kind: kind.name().to_owned(),
        timestamp: task.finished_at.unwrap_or(task.submitted_at),
        data: Value::Object(data),
    })
}

/// What a receiver reads when somebody tries a webhook.
pub(crate) fn test_event(webhook: &WebhookId, now: Millis) -> rest::Event {
    rest::Event {
        kind: "test".to_owned(),
        timestamp: Timestamp::from_millis(now),
        data: serde_json::json!({"webhook": webhook.to_string()}),
    }
}

#[cfg(test)]
mod tests {
    //! What an event holds, and what it never does.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use serde_json::json;
    use tokio::sync::{broadcast, mpsc};

    #[tokio::test]
    async fn the_courier_is_woken_for_what_is_queued_and_not_for_what_waits() {
        let (changes, events) = broadcast::channel(16);
        let (wakes, mut woken) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicU64::new(5));
        let at = Arc::clone(&queued);
        let hinting = tokio::spawn(hint(
            events,
            move || at.load(Ordering::SeqCst),
            move || wakes.send(()).unwrap(),
        ));
        woken.recv().await.unwrap();
        // Five events wait for a receiver that is away, and tasks go on changing.
        for _ in 0..1000 {
            let _ = changes.send(Event::Replaced);
            tokio::task::yield_now().await;
        }
        let quiet = tokio::time::timeout(limits::HINTS_APART * 10, woken.recv()).await;
        assert!(quiet.is_err(), "nothing was queued");
        queued.store(6, Ordering::SeqCst);
        let _ = changes.send(Event::Replaced);
        woken.recv().await.unwrap();
        hinting.abort();
    }

    fn task(state: &str) -> rest::Task {
        serde_json::from_value(json!({
            "id": "tsk_0000000000000000000000000000000d", "kind": "prove", "state": state,
            "priority": 5, "plugin": "merkle@0.1.0", "circuit": "cir_0000000000000000000000000000000c",
            "submitted_at": "2026-01-31T12:00:00.000Z", "finished_at": "2026-01-31T12:00:01.000Z",
            "attempts": [{"attempt": 1, "worker": "w", "leased_at": "2026-01-31T12:00:00.000Z",
                "problem": {"code": "witness.unsatisfied", "status": 422, "detail": "planted"}}],
            "public_inputs": {"root": "0x07"},
            "proof": {"digest": "ab", "bytes": 2, "url": "/p", "base64": "planted"},
            "error": {"code": "witness.unsatisfied", "status": 422, "detail": "planted"},
        }))
        .unwrap()
    }

    #[test]
    fn an_event_names_what_became_of_a_task_and_nothing_of_what_went_in() {
        let event = event_of(&task("failed"), false).unwrap();
        let text = serde_json::to_string(&event).unwrap();
        assert!(
            !text.contains("planted") && !text.contains("public_inputs"),
            "{text}"
        );
        assert_eq!(event.kind, "task.failed");
        assert_eq!(event.data["error"]["code"], "witness.unsatisfied");
        assert_eq!(event.data["proof"]["digest"], "ab");
        assert_eq!(
            event.data["url"],
            "/api/v1/tasks/tsk_0000000000000000000000000000000d"
        );
        assert_eq!(event.timestamp.to_string(), "2026-01-31T12:00:01.000Z");
    }

    #[test]
    fn public_inputs_are_told_when_they_are_asked_for() {
        let event = event_of(&task("done"), true).unwrap();
        assert_eq!(event.data["public_inputs"]["root"], "0x07");
        assert_eq!(event_of(&task("running"), true), None);
    }

    #[test]
    fn an_event_keeps_its_name_and_shares_it_with_no_other() {
        let (one, two) = (
            WebhookId::from_bytes([1; 16]),
            WebhookId::from_bytes([2; 16]),
        );
        let task = TaskId::from_bytes([3; 16]);
        assert_eq!(event_id(&one, &task), event_id(&one, &task));
        assert_ne!(event_id(&one, &task), event_id(&two, &task));
        assert_eq!(event_id(&one, &task).len(), 36);
    }
}
