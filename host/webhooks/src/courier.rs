//! Delivers what the outbox holds until somebody took it or it is given up.
//!
//! One loop decides, attempts run beside it. A receiver that fails is left alone for longer and longer
//! and gets one attempt at a time; the others do not wait for it. An event is settled in the outbox
//! before it is forgotten here: a leader that is lost in between leaves it pending, and it is sent
//! again, under the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aureole_ledger::{Failure, Millis, PendingEvent, Settlement, TaskId, WebhookId};
use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::guard::Denied;
use crate::journal::{Attempt, Journal, Progress};
use crate::limits::{FLIGHTS_MAX, FLIGHTS_OF_ENDPOINT_MAX, ROUND, TRIALS_MAX};
use crate::schedule::Schedule;
use crate::send::{Letter, SendError, Sender};
use crate::sign::SigningKey;

/// Where the facts are: what is to be delivered, and what came of it.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// The receivers with the oldest of what is to be delivered to them, at most
    /// [`crate::limits::LOOKAHEAD`] each; `None` while another process delivers.
    fn pending(&self) -> Option<Vec<Endpoint>>;

    /// What is sent for an event. Gives the same bytes each time.
    ///
    /// # Errors
    /// [`Unsent::Forgotten`] when there is nothing to tell any more, [`Unsent::Later`] when it cannot
    /// be read now.
    async fn parcel(&self, webhook: WebhookId, task: TaskId) -> Result<Parcel, Unsent>;

    /// Writes down how a delivery ended; durable when it returns.
    ///
    /// # Errors
    /// What is logged; the event stays pending.
    async fn settle(
        &self,
        webhook: WebhookId,
        task: TaskId,
        settlement: Settlement,
        attempts: u32,
    ) -> Result<(), String>;

    /// The time, as facts know it.
    fn now(&self) -> Millis;
}

/// A receiver and what is to be delivered to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The subscription.
    pub webhook: WebhookId,
    /// Where to.
    pub url: String,
    /// The oldest events.
    pub events: Vec<PendingEvent>,
}

/// An event as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Names the event over all attempts.
    pub id: String,
    /// JSON.
    pub body: Bytes,
    /// Signs it.
    pub key: SigningKey,
}

/// Why there is nothing to send.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unsent {
    /// The task is no longer known.
    #[error("the task is no longer known")]
    Forgotten,
    /// It cannot be read now.
    #[error("the event cannot be read now: {0}")]
    Later(String),
}

/// Delivers. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Courier {
    shared: Arc<Shared>,
}

struct Shared {
    outbox: Arc<dyn Outbox>,
    sender: Sender,
    schedule: Schedule,
    journal: Mutex<Journal>,
    wake: Notify,
    /// Checks and tests that callers wait for.
    trials: Semaphore,
}

/// Attempts in the air.
#[derive(Default)]
struct Flights {
    set: JoinSet<(WebhookId, TaskId)>,
    of: BTreeMap<WebhookId, BTreeSet<TaskId>>,
    /// How often room was given out: nobody is always the first to get it.
    turn: usize,
}

// === impl Courier ===

impl Courier {
    /// A courier; it delivers while [`Courier::run`] runs.
    pub fn new(outbox: Arc<dyn Outbox>, sender: Sender, schedule: Schedule) -> Self {
        Self {
            shared: Arc::new(Shared {
                outbox,
                sender,
                schedule,
                journal: Mutex::default(),
                wake: Notify::new(),
                trials: Semaphore::new(TRIALS_MAX),
            }),
        }
    }

    /// Checks a URL and where it leads now, for a caller who waits.
    ///
    /// # Errors
    /// [`Denied`]: what is wrong with it; [`Denied::Busy`] beyond [`TRIALS_MAX`].
    pub async fn check(&self, url: &str) -> Result<(), Denied> {
        let _permit = self.shared.trial()?;
        self.shared.sender.check(url).await
    }

    /// Makes an attempt outside the outbox, for a caller who waits: a test of a receiver.
    ///
    /// # Errors
    /// As [`Sender::send`]; [`Denied::Busy`] beyond [`TRIALS_MAX`].
    pub async fn test(&self, url: &str, letter: &Letter<'_>) -> Result<u16, SendError> {
        let _permit = self.shared.trial()?;
        self.shared.sender.send(url, letter).await
    }

    /// Hints that there may be more to deliver.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Tries an event again now, whatever was met before.
    pub fn again(&self, webhook: WebhookId, task: TaskId) {
        self.shared.journal().again(webhook, task);
        self.wake();
    }

    /// What was attempted for an event that is still pending.
    pub fn progress(&self, webhook: WebhookId, task: TaskId) -> Option<Progress> {
        self.shared.journal().progress(webhook, task)
    }

    /// Delivers until told to stop; attempts in the air are dropped then, their events stay pending.
    pub async fn run(&self, stop: CancellationToken) {
        let mut flights = Flights::default();
        loop {
            let next = self.dispatch(&mut flights);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.shared.wake.notified() => {}
                () = sleep_until(next) => {}
                Some(landed) = flights.set.join_next() => flights.landed(landed),
            }
        }
    }

    /// Starts every attempt that is due and has room; says when to look again.
    fn dispatch(&self, flights: &mut Flights) -> Instant {
        let shared = &self.shared;
        let now = Instant::now();
        let mut next = now.checked_add(ROUND).unwrap_or(now);
        let Some(mut endpoints) = shared.outbox.pending() else {
            shared.journal().clear();
            return next;
        };
        shared.journal().keep(now, |webhook| {
            endpoints.iter().any(|at| at.webhook == *webhook)
        });
        flights.turn = flights.turn.wrapping_add(1);
        let first = flights.turn.checked_rem(endpoints.len()).unwrap_or(0);
        endpoints.rotate_left(first);
        let today = shared.outbox.now();
        for endpoint in endpoints {
            for event in &endpoint.events {
                if flights.holds(endpoint.webhook, event.task) {
                    continue;
                }
                if self.is_over(event, today) {
                    if !flights.has_room(endpoint.webhook, false) {
                        break;
                    }
                    flights.launch(endpoint.webhook, event.task, {
                        let (shared, webhook, task) =
                            (Arc::clone(shared), endpoint.webhook, event.task);
                        async move { shared.give_up(webhook, task, None).await }
                    });
                    continue;
                }
                let (due, failing) = {
                    let journal = shared.journal();
                    let due = journal.due(endpoint.webhook, event.task);
                    (due, journal.is_failing(endpoint.webhook))
                };
                if let Some(due) = due.filter(|due| *due > now) {
                    next = next.min(due);
                    continue;
                }
                if !flights.has_room(endpoint.webhook, failing) {
                    break;
                }
                flights.launch(endpoint.webhook, event.task, {
                    let (shared, url) = (Arc::clone(shared), endpoint.url.clone());
                    let (webhook, task) = (endpoint.webhook, event.task);
                    async move { shared.deliver(webhook, task, &url).await }
                });
            }
        }
        next
    }

    fn is_over(&self, event: &PendingEvent, today: Millis) -> bool {
        let tried = self.shared.schedule.give_up.as_millis();
        u128::from(today.saturating_sub(event.since)) >= tried
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Room for one more check or test.
    fn trial(&self) -> Result<SemaphorePermit<'_>, Denied> {
        self.trials.try_acquire().map_err(|_| Denied::Busy {
            max: TRIALS_MAX as u64,
        })
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver(&self, webhook: WebhookId, task: TaskId, url: &str) {
        let parcel = match self.outbox.parcel(webhook, task).await {
            Ok(parcel) => parcel,
            Err(Unsent::Forgotten) => {
                return self.give_up(webhook, task, Some(Failure::Forgotten)).await;
            }
            Err(Unsent::Later(reason)) => {
                tracing::warn!(%webhook, %task, reason, "an event is sent later");
                // Not the receiver's fault, but it is tried again like one.
                return self.failed(webhook, task, Failure::Unattempted, Instant::now());
            }
        };
        let begun = Instant::now();
        let letter = Letter {
            id: &parcel.id,
            seconds: self.outbox.now() / 1000,
            body: parcel.body,
            key: &parcel.key,
        };
        match self.sender.send(url, &letter).await {
            Ok(status) => self.delivered(webhook, task, status).await,
            // The receiver says that it is gone for good.
            Err(SendError::Status { status: 410 }) => {
                self.give_up(webhook, task, Some(Failure::Status(410)))
                    .await;
            }
            Err(error) => {
                tracing::info!(
                    %webhook, %task, error = &error as &dyn std::error::Error,
                    "an event was not delivered"
                );
                self.failed(webhook, task, error.failure(), begun);
            }
        }
    }

    async fn delivered(&self, webhook: WebhookId, task: TaskId, status: u16) {
        let attempts = self.attempts(webhook, task).saturating_add(1);
        let settlement = Settlement::Delivered { status };
        let settled = self.outbox.settle(webhook, task, settlement, attempts);
        match settled.await {
            Ok(()) => {
                tracing::debug!(%webhook, %task, status, "an event was delivered");
                self.journal().delivered(webhook, task);
            }
            // The receiver will have it twice, under one id.
            Err(reason) => {
                tracing::warn!(%webhook, %task, reason, "a delivery was not written down");
                self.failed(webhook, task, Failure::Unattempted, Instant::now());
            }
        }
    }

    fn failed(&self, webhook: WebhookId, task: TaskId, failure: Failure, begun: Instant) {
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let attempt = Attempt {
            at: self.outbox.now(),
            took_ms,
            failure,
        };
        self.journal()
            .failed(webhook, task, attempt, &self.schedule);
    }

    async fn give_up(&self, webhook: WebhookId, task: TaskId, met: Option<Failure>) {
        let (attempts, failure) = {
            let journal = self.journal();
            let last = journal
                .progress(webhook, task)
                .map(|known| known.last.failure);
            let last = last.or_else(|| journal.last_failure(webhook));
            (
                journal
                    .progress(webhook, task)
                    .map_or(0, |known| known.attempts),
                met.or(last).unwrap_or(Failure::Unattempted),
            )
        };
        let attempts = attempts.saturating_add(u32::from(met.is_some()));
        let settlement = Settlement::Dead { failure };
        match self
            .outbox
            .settle(webhook, task, settlement, attempts)
            .await
        {
            Ok(()) => {
                tracing::warn!(%webhook, %task, ?failure, attempts, "an event was given up");
                self.journal().forget(webhook, task);
            }
            Err(reason) => {
                tracing::warn!(%webhook, %task, reason, "a delivery was not given up");
                // No leader, or no majority: neither is back at once.
                sleep(ROUND).await;
            }
        }
    }

    fn attempts(&self, webhook: WebhookId, task: TaskId) -> u32 {
        let known = self.journal().progress(webhook, task);
        known.map_or(0, |known| known.attempts)
    }
}

// === impl Flights ===

impl Flights {
    fn holds(&self, webhook: WebhookId, task: TaskId) -> bool {
        let of = self.of.get(&webhook);
        of.is_some_and(|tasks| tasks.contains(&task))
    }

    fn has_room(&self, webhook: WebhookId, failing: bool) -> bool {
        let most = if failing { 1 } else { FLIGHTS_OF_ENDPOINT_MAX };
        let in_air = self.of.get(&webhook).map_or(0, BTreeSet::len);
        in_air < most && self.set.len() < FLIGHTS_MAX
    }

    fn launch(
        &mut self,
        webhook: WebhookId,
        task: TaskId,
        attempt: impl Future<Output = ()> + Send + 'static,
    ) {
        self.of.entry(webhook).or_default().insert(task);
        self.set.spawn(async move {
            // A flight lands whatever happens in it, or its event would never be tried again.
            let attempt = AbortOnDropHandle::new(tokio::spawn(attempt));
            if let Err(error) = attempt.await {
                tracing::error!(%error, "an attempt ended without a result");
            }
            (webhook, task)
        });
    }

    fn landed(&mut self, landed: Result<(WebhookId, TaskId), tokio::task::JoinError>) {
        let Ok((webhook, task)) = landed else {
            return;
        };
        if let Some(tasks) = self.of.get_mut(&webhook) {
            tasks.remove(&task);
            if tasks.is_empty() {
                self.of.remove(&webhook);
            }
        }
    }
}
