//! Webhooks: made, shown, tried, replayed.

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Caller, NewWebhook};
use aureole_ledger::limits::WEBHOOKS_OF_TENANT_MAX;
use aureole_ledger::{
    Command, Delivery, DeliveryState, EventKind, Failure, Settlement, State, TaskId, WebhookId,
    WebhookRecord,
};
use aureole_webhooks::{Courier, Denied, Letter, Progress, SendError, SigningKey};
use tokio::time::Instant;

use super::{Desk, storage, tasks::unarchived};
use crate::post::{event_id, test_event};

/// Deliveries that wait and are shown; those that ended are bounded by the ledger.
const PENDING_SHOWN_MAX: usize = 100;

// === impl Desk ===

impl Desk {
    /// Lets the desk send. Without it webhooks are off.
    pub(crate) fn deliver_by(&self, courier: Courier) {
        // Set once, when the desk opens.
        drop(self.courier.set(courier));
    }

    /// The key that a webhook's events are signed with. It follows from the members' secret: a new
    /// leader has it, and no log or snapshot does.
    pub(crate) fn signing_key(&self, webhook: &WebhookId) -> SigningKey {
        let key = self
            .secret
            .digest("webhook signing key", &[webhook.as_bytes()]);
        SigningKey::from_bytes(*key.as_bytes())
    }

    /// Makes a webhook under an id that the caller chose, or that its key stands for.
    pub(crate) async fn create_webhook(
        &self,
        caller: &Caller,
        fresh: WebhookId,
        request: NewWebhook,
    ) -> Result<rest::Webhook, Problem> {
        let courier = self.courier()?;
        let id = self.webhook_id(caller, fresh, request.idempotency_key.as_deref());
        // Before the look-up: whoever may have no more makes nobody ask for names.
        self.admit_webhook(caller, id)?;
        let checked = courier.check(&request.url).await;
        checked.map_err(|denied| denied_problem(&denied))?;
        let webhook = WebhookRecord {
            id,
            tenant: caller.tenant.clone(),
            url: request.url,
            events: request.events.into_iter().map(of_ledger).collect(),
            public_inputs: request.public_inputs,
            created_at: self.coordinator.now(),
            missed: 0,
        };
        let _ = self.propose(Command::CreateWebhook { webhook }).await?;
        let mut view = self.show_webhook(caller, id)?;
        view.secret = Some(self.signing_key(&id).reveal());
        Ok(view)
    }

    /// Refuses one more than a tenant may have. One that is asked for again is there already.
    fn admit_webhook(&self, caller: &Caller, id: WebhookId) -> Result<(), Problem> {
        let (known, count) = self.coordinator.read(|state| {
            let count = state.webhooks_of(&caller.tenant).count();
            (state.webhook(&id).is_some(), count as u64)
        });
        if known || count < WEBHOOKS_OF_TENANT_MAX {
            return Ok(());
        }
        let detail = format!("there are {count} webhooks already");
        Err(Problem::new(codes::webhook::LIMIT, detail))
    }

    fn webhook_id(&self, caller: &Caller, fresh: WebhookId, key: Option<&str>) -> WebhookId {
        let Some(key) = key else { return fresh };
        let parts = [caller.tenant.as_str().as_bytes(), key.as_bytes()];
        let digest = self.secret.digest("webhook idempotency key", &parts);
        let half = digest.as_bytes().first_chunk::<16>();
        half.map_or(fresh, |half| WebhookId::from_bytes(*half))
    }

    /// The tenant's webhooks.
    pub(crate) fn list_webhooks(&self, caller: &Caller) -> rest::WebhookList {
        let webhooks = self.coordinator.read(|state| {
            let of_tenant = state.webhooks_of(&caller.tenant);
            of_tenant.map(|record| view(state, record)).collect()
        });
        rest::WebhookList { webhooks }
    }

    /// One webhook.
    pub(crate) fn show_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<rest::Webhook, Problem> {
        self.coordinator
            .read(|state| Ok(view(state, owned(state, caller, id)?)))
    }

    /// Ends a webhook.
    pub(crate) async fn delete_webhook(
        &self,
        caller: &Caller,
        webhook: WebhookId,
    ) -> Result<(), Problem> {
        let tenant = caller.tenant.clone();
        let command = Command::DeleteWebhook { webhook, tenant };
        self.propose(command).await.map(drop)
    }

    /// Sends a test event, once.
    pub(crate) async fn test_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<rest::WebhookTest, Problem> {
        let courier = self.courier()?;
        let url = self
            .coordinator
            .read(|state| Ok::<_, Problem>(owned(state, caller, id)?.url.clone()))?;
        let now = self.coordinator.now();
        let body = serde_json::to_vec(&test_event(&id, now))
            .map_err(|error| storage(&error, "an event cannot be written"))?;
        let name = crate::ids::random().map_err(|error| {
            tracing::error!(%error, "no randomness for an id");
            Problem::new(codes::node::INTERNAL, "no randomness for an id")
        })?;
        let letter = Letter {
            id: &format!("evt_{}", hex::encode(name)),
            seconds: now / 1000,
            body: body.into(),
            key: &self.signing_key(&id),
        };
        let begun = Instant::now();
        let sent = courier.test(&url, &letter).await;
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, failure) = match sent {
            Ok(status) => (Some(status), None),
            Err(SendError::Denied(denied @ Denied::Busy { .. })) => {
                return Err(denied_problem(&denied));
            }
            Err(error) => {
                let failure = error.failure();
                (status_of(failure), Some(name_of(failure).to_owned()))
            }
        };
        Ok(rest::WebhookTest {
            delivered: failure.is_none(),
            status,
            failure,
            took_ms,
        })
    }

    /// What is to be delivered, and what came of the rest.
    pub(crate) fn list_deliveries(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<rest::DeliveryList, Problem> {
        self.coordinator.read(|state| {
            owned(state, caller, id)?;
            let mut shown = 0;
            let deliveries = state.deliveries_of(&id).filter(|(_, delivery)| {
                shown += usize::from(delivery.is_pending());
                !delivery.is_pending() || shown <= PENDING_SHOWN_MAX
            });
            let deliveries = deliveries.map(|(task, delivery)| self.delivery(id, task, delivery));
            let deliveries = deliveries.collect();
            let waiting = state.pending_of(&id);
            Ok(rest::DeliveryList {
                deliveries,
                more: waiting > PENDING_SHOWN_MAX as u64,
            })
        })
    }

    /// Delivers the end of a task again; one that waits is tried at once.
    pub(crate) async fn replay_delivery(
        &self,
        caller: &Caller,
        webhook: WebhookId,
        task: TaskId,
    ) -> Result<rest::Delivery, Problem> {
        let courier = self.courier()?;
        let command = Command::ReplayDelivery {
            webhook,
            tenant: caller.tenant.clone(),
            task,
            now: self.coordinator.now(),
        };
        let _ = self.propose(command).await?;
        courier.again(webhook, task);
        self.coordinator.read(|state| {
            let delivery = state.delivery(&webhook, &task);
            let delivery = delivery.map(|delivery| self.delivery(webhook, task, delivery));
            delivery.ok_or_else(|| {
                Problem::new(
                    codes::webhook::UNKNOWN,
                    format!("webhook {webhook} is gone"),
                )
            })
        })
    }

    /// A task that has ended, for whoever is told of it; without its proof's bytes.
    pub(crate) async fn ended_task(&self, id: TaskId) -> Result<rest::Task, Problem> {
        if let Some(record) = self.coordinator.read(|state| state.task(&id).cloned()) {
            return self.task_view(&record).await;
        }
        let unknown = || Problem::new(codes::task::UNKNOWN, format!("no task {id} is here"));
        let archive = self.history.archive().ok_or_else(unknown)?;
        let archived = archive
            .task(id)
            .await
            .map_err(|error| storage(&error, "the archive cannot be read"))?;
        unarchived(&archived.ok_or_else(unknown)?)
    }

    fn courier(&self) -> Result<&Courier, Problem> {
        let off = || {
            let detail = "this node is not configured to send events";
            Problem::new(codes::webhook::OFF, detail)
        };
        self.courier.get().ok_or_else(off)
    }

    fn delivery(&self, webhook: WebhookId, task: TaskId, delivery: &Delivery) -> rest::Delivery {
        let progress = self.courier.get().filter(|_| delivery.is_pending());
        let progress = progress.and_then(|courier| courier.progress(webhook, task));
        delivery_view(webhook, task, delivery, progress)
    }
}

/// A receiver that is refused, as a caller sees it.
fn denied_problem(denied: &Denied) -> Problem {
    match denied {
        Denied::Busy { .. } => Problem::new(codes::node::BUSY, format!("{denied}; try again")),
        denied => Problem::new(codes::webhook::URL_DENIED, denied.to_string()).at("/url"),
    }
}

/// A webhook of the caller's tenant.
fn owned<'a>(
    state: &'a State,
    caller: &Caller,
    id: WebhookId,
) -> Result<&'a WebhookRecord, Problem> {
    let record = state.webhook(&id);
    record
        .filter(|record| record.tenant == caller.tenant)
        .ok_or_else(|| Problem::new(codes::webhook::UNKNOWN, format!("no webhook {id} is here")))
}

fn view(state: &State, record: &WebhookRecord) -> rest::Webhook {
    rest::Webhook {
        id: record.id.to_string(),
        url: record.url.clone(),
        events: record.events.kinds().map(on_wire).collect(),
        public_inputs: record.public_inputs,
        created_at: rest::Timestamp::from_millis(record.created_at),
        pending: state.pending_of(&record.id),
        missed: record.missed,
        secret: None,
    }
}

fn delivery_view(
    webhook: WebhookId,
    task: TaskId,
    delivery: &Delivery,
    progress: Option<Progress>,
) -> rest::Delivery {
    let mut view = rest::Delivery {
        id: event_id(&webhook, &task),
        task: task.to_string(),
        event: on_wire(delivery.event),
        state: rest::DeliveryState::Pending,
        since: rest::Timestamp::from_millis(delivery.since),
        attempts: 0,
        ended_at: None,
        last_status: None,
        last_failure: None,
        last_attempt_at: None,
        next_attempt_at: None,
    };
    if let Some(progress) = progress {
        view.attempts = progress.attempts;
        view.last_status = status_of(progress.last.failure);
        view.last_failure = Some(name_of(progress.last.failure).to_owned());
        view.last_attempt_at = Some(rest::Timestamp::from_millis(progress.last.at));
        view.next_attempt_at = Some(rest::Timestamp::from_millis(progress.next_at));
    }
    if let DeliveryState::Settled {
        at,
        settlement,
        attempts,
    } = &delivery.state
    {
        view.attempts = *attempts;
        view.ended_at = Some(rest::Timestamp::from_millis(*at));
        match settlement {
            Settlement::Delivered { status } => {
                view.state = rest::DeliveryState::Delivered;
                view.last_status = Some(*status);
            }
            Settlement::Dead { failure } => {
                view.state = rest::DeliveryState::Dead;
                view.last_status = status_of(*failure);
                view.last_failure = Some(name_of(*failure).to_owned());
            }
        }
    }
    view
}

const fn status_of(failure: Failure) -> Option<u16> {
    match failure {
        Failure::Status(status) => Some(status),
        _ => None,
    }
}

const fn name_of(failure: Failure) -> &'static str {
    match failure {
        Failure::Unresolved => "unresolved",
        Failure::Denied => "denied",
        Failure::Connect => "connect",
        Failure::Tls => "tls",
        Failure::Timeout => "timeout",
        Failure::Answer => "answer",
        Failure::Status(_) => "status",
        Failure::Forgotten => "forgotten",
        Failure::Unattempted => "unattempted",
    }
}

const fn of_ledger(kind: rest::EventKind) -> EventKind {
    match kind {
        rest::EventKind::Done => EventKind::Done,
        rest::EventKind::Failed => EventKind::Failed,
        rest::EventKind::Cancelled => EventKind::Cancelled,
    }
}

const fn on_wire(kind: EventKind) -> rest::EventKind {
    match kind {
        EventKind::Done => rest::EventKind::Done,
        EventKind::Failed => rest::EventKind::Failed,
        EventKind::Cancelled => rest::EventKind::Cancelled,
    }
}
