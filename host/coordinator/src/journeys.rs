//! Which trace a task belongs to, as long as this member leads and the task is new enough.
//!
//! Memory alone: a traceparent is no fact, and nothing that is decided depends on it. The next leader
//! does not know it; what it leases begins a trace of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_ledger::TaskId;

use crate::limits::JOURNEYS_MAX;

/// Traceparents by task, the newest so many.
#[derive(Debug, Default)]
pub(crate) struct Journeys(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of: BTreeMap<TaskId, String>,
    order: VecDeque<TaskId>,
}

// === impl Journeys ===

impl Journeys {
    /// Notes a task's traceparent; the oldest one goes when there are too many.
    pub(crate) fn follow(&self, task: TaskId, traceparent: String) {
        let mut known = self.lock();
        if known.of.insert(task, traceparent).is_none() {
            known.order.push_back(task);
        }
        while known.order.len() > JOURNEYS_MAX {
            if let Some(oldest) = known.order.pop_front() {
                known.of.remove(&oldest);
            }
        }
    }

    /// A task's traceparent, if it is known.
    pub(crate) fn of(&self, task: &TaskId) -> Option<String> {
        self.lock().of.get(task).cloned()
    }

    // Nothing in here panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    //! The newest are known, and no more than the bound.

    use super::*;

    fn task(number: usize) -> TaskId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        TaskId::from_bytes(bytes)
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let journeys = Journeys::default();
        for number in 0..=JOURNEYS_MAX {
            journeys.follow(task(number), number.to_string());
        }
        assert_eq!(journeys.of(&task(0)), None);
        assert_eq!(journeys.of(&task(1)), Some("1".to_owned()));
        assert_eq!(
            journeys.of(&task(JOURNEYS_MAX)),
            Some(JOURNEYS_MAX.to_string())
        );
    }

    #[test]
    fn a_task_that_is_followed_again_stands_once() {
        let journeys = Journeys::default();
        for _ in 0..JOURNEYS_MAX + 2 {
            journeys.follow(task(1), "again".to_owned());
        }
        journeys.follow(task(2), "two".to_owned());
        assert_eq!(journeys.of(&task(1)), Some("again".to_owned()));
    }
}
