//! The attempts that run now: shared by the join loop, the attempts and the heartbeats.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_store::TaskId;
use tokio::sync::watch;

use crate::limits::{HEARTBEAT, HEARTBEAT_MIN};

/// A task and the number of the attempt at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttemptKey {
    pub(super) task: TaskId,
    pub(super) attempt: u32,
}

/// Why an attempt was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its owner stopped the task.
    Cancelled,
    /// The lease is no longer ours.
    Lost,
    /// The worker stops before the attempt is through.
    HandedBack,
    /// The worker was dropped.
    Dropped,
}

/// The table of running attempts.
pub(super) struct Running {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    attempts: BTreeMap<AttemptKey, Entry>,
    refusing: bool,
}

struct Entry {
    end: watch::Sender<Option<Ended>>,
    lease: Duration,
}

/// An attempt's place in the table, given up on drop, a panic included.
pub(super) struct Guard {
    running: Arc<Running>,
    key: AttemptKey,
    end: watch::Receiver<Option<Ended>>,
}

// === impl AttemptKey ===

impl AttemptKey {
    pub(super) fn parse(id: &v1::AttemptId) -> Option<Self> {
        Some(Self {
            task: TaskId::from_slice(&id.task_id)?,
            attempt: id.attempt,
        })
    }

    pub(super) fn to_proto(self) -> v1::AttemptId {
        v1::AttemptId {
            task_id: self.task.as_bytes().to_vec(),
            attempt: self.attempt,
        }
    }
}

// === impl Running ===

impl Running {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::default(),
        }
    }

    /// Enters an attempt; `None` if it runs already, the slots are taken or the worker drains.
    pub(super) fn begin(
        self: &Arc<Self>,
        key: AttemptKey,
        lease: Duration,
        slots: u32,
    ) -> Option<Guard> {
        let mut table = self.lock();
        let full = table.attempts.len() >= usize::try_from(slots).unwrap_or(usize::MAX);
        if table.refusing || full || table.attempts.contains_key(&key) {
            return None;
        }
        let (sender, end) = watch::channel(None);
        table.attempts.insert(key, Entry { end: sender, lease });
        Some(Guard {
            running: Arc::clone(self),
            key,
            end,
        })
    }

    /// Ends an attempt from outside, if it runs.
    pub(super) fn end(&self, key: &AttemptKey, ended: Ended) {
        if let Some(entry) = self.lock().attempts.get(key) {
            entry.end.send_replace(Some(ended));
        }
    }

    /// Ends all attempts from outside.
    pub(super) fn end_all(&self, ended: Ended) {
        for entry in self.lock().attempts.values() {
            entry.end.send_replace(Some(ended));
        }
    }

    /// From now on no attempt begins.
    pub(super) fn refuse_new(&self) {
        self.lock().refusing = true;
    }

    /// Whether no attempt begins any more.
    pub(super) fn is_refusing(&self) -> bool {
        self.lock().refusing
    }

    pub(super) fn contains(&self, key: &AttemptKey) -> bool {
        self.lock().attempts.contains_key(key)
    }

    pub(super) fn keys(&self) -> Vec<AttemptKey> {
        self.lock().attempts.keys().copied().collect()
    }

    /// Time between heartbeats: a third of the shortest lease, so that two may be lost.
    pub(super) fn heartbeat(&self) -> Duration {
        let shortest = self.lock().attempts.values().map(|entry| entry.lease).min();
        shortest.map_or(HEARTBEAT, |lease| {
            (lease / 3).clamp(HEARTBEAT_MIN, HEARTBEAT)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

// === impl Guard ===

impl Guard {
    pub(super) fn key(&self) -> AttemptKey {
        self.key
    }

    /// Waits until the attempt is ended from outside.
    pub(super) async fn ended(&self) -> Ended {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await {
            Ok(ended) => (*ended).unwrap_or(Ended::Dropped),
            // The sender lives in the table as long as this guard does.
            Err(_) => Ended::Dropped,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.running.lock().attempts.remove(&self.key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn key(attempt: u32) -> AttemptKey {
        AttemptKey {
            task: TaskId::from_bytes([7; 16]),
            attempt,
        }
    }

    const LEASE: Duration = Duration::from_secs(30);

    #[test]
    fn an_attempt_is_entered_once_and_leaves_when_its_guard_drops() {
        let running = Arc::new(Running::new());
        let guard = running.begin(key(1), LEASE, 2).unwrap();
        assert!(running.begin(key(1), LEASE, 2).is_none());
        assert_eq!(running.keys(), [key(1)]);
        drop(guard);
        assert!(running.begin(key(1), LEASE, 2).is_some());
    }

    #[test]
    fn no_attempt_begins_beyond_the_slots_or_while_draining() {
        let running = Arc::new(Running::new());
        let _guard = running.begin(key(1), LEASE, 1).unwrap();
        assert!(running.begin(key(2), LEASE, 1).is_none());
        running.refuse_new();
        assert!(running.begin(key(2), LEASE, 2).is_none());
    }

    #[tokio::test]
    async fn an_ended_attempt_is_told_why() {
        let running = Arc::new(Running::new());
        let guard = running.begin(key(1), LEASE, 1).unwrap();
        running.end(&key(2), Ended::Lost);
        running.end(&key(1), Ended::Cancelled);
        assert_eq!(guard.ended().await, Ended::Cancelled);
    }

    #[test]
    fn heartbeats_come_three_times_in_the_shortest_lease() {
        let running = Arc::new(Running::new());
        assert_eq!(running.heartbeat(), HEARTBEAT);
        let _one = running
            .begin(key(1), Duration::from_millis(600), 3)
            .unwrap();
        let _two = running.begin(key(2), LEASE, 3).unwrap();
        assert_eq!(running.heartbeat(), Duration::from_millis(200));
        let _three = running.begin(key(3), Duration::ZERO, 3).unwrap();
        assert_eq!(running.heartbeat(), HEARTBEAT_MIN);
    }

    #[test]
    fn a_malformed_attempt_id_is_none() {
        let id = v1::AttemptId {
            task_id: vec![1; 15],
            attempt: 1,
        };
        assert_eq!(AttemptKey::parse(&id), None);
        assert_eq!(AttemptKey::parse(&key(3).to_proto()), Some(key(3)));
    }
}
