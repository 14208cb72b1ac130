//! What this leader knows of the attempts it made. Memory: the next leader begins again.

use std::collections::BTreeMap;

use aureole_ledger::{Failure, Millis, TaskId, WebhookId};
use tokio::time::Instant;

use crate::schedule::Schedule;

/// What was attempted for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Attempts that failed so far.
    pub attempts: u32,
    /// The last one.
    pub last: Attempt,
    /// When the next one is made.
    pub next_at: Millis,
}

/// An attempt that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Millis,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it did not succeed.
    pub failure: Failure,
}

/// Progress by event, and how the receivers are.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    receivers: BTreeMap<WebhookId, Receiver>,
}

#[derive(Debug, Default)]
struct Receiver {
    /// Attempts in a row that failed, whatever the event.
    failures: u32,
    /// Nothing is attempted before.
    paused_until: Option<Instant>,
    events: BTreeMap<TaskId, (Progress, Instant)>,
    /// What the last attempt met.
    last: Option<Failure>,
}

// === impl Journal ===

impl Journal {
    /// Says from when on an event may be attempted; `None` is now.
    pub(crate) fn due(&self, webhook: WebhookId, task: TaskId) -> Option<Instant> {
        let receiver = self.receivers.get(&webhook)?;
        let event = receiver.events.get(&task).map(|(_, due)| *due);
        event.into_iter().chain(receiver.paused_until).max()
    }

    /// Says whether the receiver's last attempt failed.
    pub(crate) fn is_failing(&self, webhook: WebhookId) -> bool {
        let receiver = self.receivers.get(&webhook);
        receiver.is_some_and(|receiver| receiver.failures > 0)
    }

    /// Returns what the receiver's last failed attempt met.
    pub(crate) fn last_failure(&self, webhook: WebhookId) -> Option<Failure> {
        self.receivers.get(&webhook)?.last
    }

    pub(crate) fn progress(&self, webhook: WebhookId, task: TaskId) -> Option<Progress> {
        let receiver = self.receivers.get(&webhook)?;
        receiver.events.get(&task).map(|(progress, _)| *progress)
    }

    /// Notes an attempt that failed; the receiver is left alone for a while.
    pub(crate) fn failed(
        &mut self,
        webhook: WebhookId,
        task: TaskId,
        attempt: Attempt,
        schedule: &Schedule,
    ) {
        let receiver = self.receivers.entry(webhook).or_default();
        receiver.failures = receiver.failures.saturating_add(1);
        receiver.last = Some(attempt.failure);
        let now = Instant::now();
        receiver.paused_until = now.checked_add(schedule.wait(receiver.failures));
        let attempts = receiver
            .events
            .get(&task)
            .map_or(0, |(known, _)| known.attempts);
        let attempts = attempts.saturating_add(1);
        let wait = schedule.wait(attempts);
        let due = now.checked_add(wait).unwrap_or(now);
        let due = receiver.paused_until.map_or(due, |paused| paused.max(due));
        let millis = u64::try_from((due - now).as_millis()).unwrap_or(u64::MAX);
        let progress = Progress {
            attempts,
            last: attempt,
            next_at: attempt.at.saturating_add(millis),
        };
        receiver.events.insert(task, (progress, due));
    }

    /// Notes that a receiver took an event.
    pub(crate) fn delivered(&mut self, webhook: WebhookId, task: TaskId) {
        if let Some(receiver) = self.receivers.get_mut(&webhook) {
            receiver.failures = 0;
            receiver.paused_until = None;
            receiver.last = None;
            receiver.events.remove(&task);
        }
    }

    /// Forgets an event, and why the receiver was left alone: somebody asked to try it again.
    pub(crate) fn again(&mut self, webhook: WebhookId, task: TaskId) {
        if let Some(receiver) = self.receivers.get_mut(&webhook) {
            receiver.paused_until = None;
            receiver.events.remove(&task);
        }
    }

    /// Forgets an event that is given up.
    pub(crate) fn forget(&mut self, webhook: WebhookId, task: TaskId) {
        if let Some(receiver) = self.receivers.get_mut(&webhook) {
            receiver.events.remove(&task);
        }
    }

    /// Forgets the receivers that nothing is to be delivered to, those that failed when their pause is
    /// over: a receiver that was deleted never succeeds.
    pub(crate) fn keep(&mut self, now: Instant, waiting: impl Fn(&WebhookId) -> bool) {
        self.receivers.retain(|webhook, receiver| {
            let paused = receiver.paused_until.is_some_and(|until| until > now);
            waiting(webhook) || (receiver.failures > 0 && paused)
        });
    }

    /// Forgets everything: another leads.
    pub(crate) fn clear(&mut self) {
        self.receivers.clear();
    }
}

#[cfg(test)]
mod tests {
    //! What is remembered, and for how long.

    use std::time::Duration;

    use super::*;

    #[test]
    fn a_receiver_that_failed_is_forgotten_after_its_pause_when_nothing_waits_for_it() {
        let (mut journal, minute) = (Journal::default(), Duration::from_secs(60));
        let schedule = Schedule {
            first: minute,
            longest: minute,
            give_up: minute,
        };
        let (webhook, task) = (WebhookId::from_bytes([1; 16]), TaskId::from_bytes([2; 16]));
        let attempt = Attempt {
            at: 0,
            took_ms: 1,
            failure: Failure::Timeout,
        };
        let now = Instant::now();
        journal.failed(webhook, task, attempt, &schedule);
        journal.forget(webhook, task);
        journal.keep(now, |_| false);
        assert!(journal.is_failing(webhook), "its pause is not over");
        let later = now + minute * 10;
        journal.keep(later, |_| true);
        assert!(journal.is_failing(webhook), "something waits");
        journal.keep(later, |_| false);
        assert!(journal.receivers.is_empty());
    }
}
